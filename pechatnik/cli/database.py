"""``pechatnik db``: schema, backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.errors import ConfigurationError
from pechatnik.cli.context import context_of
from pechatnik.cli.exit_codes import NEGATIVE
from pechatnik.config import load

app = typer.Typer(name="db", help="The database.", no_args_is_help=True)


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema to this version of the program."""
    from ca_core.storage import schema
    from pechatnik.bootstrap import engine_of

    context = context_of(ctx)
    engine = engine_of(load(context.config_path))
    before = schema.current(engine)
    if context.dry_run:
        context.output.result({"from": before, "to": schema.head()}, f"would upgrade from {before} to {schema.head()}")
        return
    schema.upgrade(engine)
    after = schema.current(engine)
    context.output.result(
        {"from": before, "to": after}, "nothing to do" if before == after else f"upgraded from {before} to {after}"
    )


@app.command()
def check(ctx: typer.Context) -> int:
    """Compare the database with the program's schema. Exit 3 when they differ."""
    from ca_core.storage import schema
    from pechatnik.bootstrap import engine_of

    context = context_of(ctx)
    differences = schema.check(engine_of(load(context.config_path)))
    context.output.result({"differences": differences}, "\n".join(differences) or "the schema is as it should be")
    return NEGATIVE if differences else 0


@app.command()
def backup(ctx: typer.Context, directory: Annotated[Path, typer.Argument(help="A new directory.")]) -> None:
    """Copy database, keys, documents and configuration into a new directory, consistently, while serving."""
    from pechatnik.backup import back_up

    context = context_of(ctx)
    summary = back_up(load(context.config_path), context.config_path, directory)
    context.output.result(summary, f"{summary['files']} files, {summary['bytes']} octets in {directory}")


@app.command()
def restore(ctx: typer.Context, directory: Annotated[Path, typer.Argument(help="A backup.")]) -> None:
    """Verify a backup and restore it into an installation that has no data yet."""
    from pechatnik.backup import restore as restore_backup

    context = context_of(ctx)
    if not directory.is_dir():
        raise ConfigurationError(f"there is no backup at {directory}")
    context.confirm(f"Restore {directory} into {load(context.config_path).data}?")
    summary = restore_backup(load(context.config_path), directory)
    context.output.result(summary, f"{summary['files']} files restored and verified; run: pechatnik doctor")
