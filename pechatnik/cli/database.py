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
    from pechatnik.adapters import engine_of, make_data_directory

    context = context_of(ctx)
    config = load(context.config_path)
    if context.dry_run:
        before = schema.current(engine_of(config)) if config.data.is_dir() else None
        context.output.result({"from": before, "to": schema.head()}, f"would upgrade from {before} to {schema.head()}")
        return
    make_data_directory(config)
    engine = engine_of(config)
    before = schema.current(engine)
    schema.upgrade(engine)
    after = schema.current(engine)
    context.output.result(
        {"from": before, "to": after}, "nothing to do" if before == after else f"upgraded from {before} to {after}"
    )


@app.command()
def check(ctx: typer.Context) -> int:
    """Compare the database with the program's schema. Exit 3 when they differ."""
    from ca_core.storage import schema
    from pechatnik.adapters import engine_of

    context = context_of(ctx)
    differences = schema.check(engine_of(load(context.config_path)))
    advice = "(if 'pechatnik db upgrade' has nothing to do, an unreleased version made it, or somebody changed it)"
    sentences = [*differences, advice] if differences else ["the schema is as it should be"]
    context.output.result({"differences": differences}, "\n".join(sentences))
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
    from pechatnik.backup import refuse_existing, restore as restore_backup

    context = context_of(ctx)
    if not directory.is_dir():
        raise ConfigurationError(f"there is no backup at {directory}")
    config = load(context.config_path)
    refuse_existing(config)
    context.confirm(f"Restore {directory} into {config.data}?")
    summary = restore_backup(config, directory)
    context.output.result(summary, f"{summary['files']} files restored and verified; run: pechatnik doctor")
