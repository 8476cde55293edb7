"""``pechatnik quickstart | serve | worker | doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pechatnik.cli.context import context_of
from pechatnik.cli.exit_codes import FAILURE
from pechatnik.config import load
from pechatnik.role import Role


def quickstart(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Option(help="Where the demo authority lives.")] = Path("var/run"),
    fresh: Annotated[bool, typer.Option(help="Remove an earlier demo authority there first.")] = False,
    serve: Annotated[bool, typer.Option(help="Serve when the journey is done, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
) -> int:
    """Make a demo authority and walk the whole journey: application to certificate to reissue."""
    from pechatnik.quickstart import run

    context = context_of(ctx)
    if fresh and (directory / "pechatnik.toml").exists():
        context.confirm(f"Remove the demo authority in {directory}?")
    return run(directory, fresh=fresh, serve=serve, port=port, output=context.output)


def serve(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    role: Annotated[Role, typer.Option(help="status: a status node of the core that node.core_url names.")] = Role.ALL,
) -> None:
    """Serve cabinet, admin site, API and status, with a worker beside them, until Ctrl-C."""
    from pechatnik.server import serve as run

    context = context_of(ctx)
    run(context.config_path, load(context.config_path), role=role, port=port)


def worker(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option(help="Do what is due, then exit.")] = False,
) -> None:
    """Run jobs: notices, CRLs, responder renewal, clocks, audit seals."""
    from pechatnik import logs

    context = context_of(ctx)
    logs.configure(verbose=context.verbose)
    done = context.program.work(once=once)
    if once:
        context.output.result({"jobs": done}, f"{done} jobs done" if done else "nothing was due")


def doctor(ctx: typer.Context) -> int:
    """Check everything the authority needs, and say what to do about what is wrong. Exit 1 when something is."""
    from pechatnik.doctor import examine

    context = context_of(ctx)
    findings = examine(load(context.config_path))
    lines = [f"{'ok  ' if one.ok else 'FAIL'}  {one.name}: {one.detail}" for one in findings]
    context.output.result({"ok": all(f.ok for f in findings), "checks": findings}, "\n".join(lines))
    return 0 if all(finding.ok for finding in findings) else FAILURE


def register(app: typer.Typer) -> None:
    """Add the verbs that have no noun."""
    for command in (quickstart, serve, worker, doctor):
        app.command()(command)
