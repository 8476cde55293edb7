"""``pechatnik ocsp``: ask our own responder, without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import ConfigurationError
from ocsp.static_tree import StaticTree
from pechatnik.cli.cert import Which, find
from pechatnik.cli.context import context_of
from pechatnik.cli.exit_codes import NEGATIVE
from pechatnik.config import load
from pechatnik.node.node import build as build_node

app = typer.Typer(name="ocsp", help="Certificate status.", no_args_is_help=True)


@app.command()
def query(ctx: typer.Context, which: Which) -> int:
    """What OCSP says about a certificate. Exit 3 when it is not good."""
    context = context_of(ctx)
    certificate = find(context, which)
    status = context.program.ocsp.status(certificate.issuer, certificate.serial)
    reason = f" ({status.reason.label})" if status.reason is not None else ""
    context.output.result(status, f"{certificate.serial}: {status.status}{reason}")
    return 0 if status.status == "good" else NEGATIVE


@app.command()
def presign(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument(help="Name, such as issuing.")] = "issuing",
    anew: Annotated[bool, typer.Option("--anew", help="Forget the answers that are there first.")] = False,
) -> None:
    """Sign answers before anybody asks: what is missing and what comes due. The worker does so by itself."""
    context = context_of(ctx)
    if context.program.ready is None:
        raise ConfigurationError("status.presign is off: nobody would be given these answers")
    with context.output.counting("certificates looked at") as count:
        made = context.program.presigner.fill(
            context.actor, authority, anew=anew, progress=lambda seen, signed: count(seen)
        )
    context.output.result({"signed": made}, f"{made} answers signed")


@app.command()
def export(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Folder of its own, made when it is not there.")],
) -> None:
    """Write the answers that stand ready as files for a web server, and remove those that are not to be served any
    more. Run it again and again; it changes what has changed."""
    context = context_of(ctx)
    config = load(context.config_path)
    if config.node.core_url:
        node = build_node(config)
        node.require_fresh()
        tree, actor = StaticTree(node.replica, node.ready), SYSTEM_ACTOR  # it has no accounts
    else:
        program, actor = context.program, context.actor
        if program.ready is None:
            raise ConfigurationError("status.presign is off: there are no answers to export")
        tree = StaticTree(program.answers, program.ready)
    with context.output.counting("answers looked at") as count:
        done = tree.export(actor, directory, pretend=context.dry_run, progress=count)
    would = "would be " if context.dry_run else ""
    text = f"{done.written} answers {would}written, {done.kept} kept, {done.removed} {would}removed"
    context.output.result(done, text)
