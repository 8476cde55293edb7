"""``pechatnik crl``: sign and show certificate revocation lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pechatnik.cli.context import context_of, write_file

app = typer.Typer(name="crl", help="Certificate revocation lists.", no_args_is_help=True)
COLUMNS = {
    "number": "number",
    "partition": "partition",
    "this_update": "this update",
    "next_update": "next update",
    "base": "base",
    "entries": "entries",
}


@app.command()
def issue(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument(help="Name, such as issuing.")] = "issuing",
    partition: Annotated[int | None, typer.Option(min=0)] = None,
    delta: Annotated[bool, typer.Option("--delta", help="The deltas to the full lists that are published.")] = False,
) -> None:
    """Sign and publish now; without --partition every list of the authority."""
    context = context_of(ctx)
    issued = context.program.crls.issue(context.actor, authority, partition=partition, delta=delta)
    context.output.table(issued, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument()] = "issuing",
    partition: Annotated[int, typer.Option(min=0)] = 0,
    delta: Annotated[bool, typer.Option("--delta", help="The delta to it.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the list (DER) here; - for standard output.")] = None,
) -> None:
    """The list that is published now."""
    context = context_of(ctx)
    current = context.program.crls.published(context.actor, authority, partition, delta=delta)
    if out is not None:
        write_file(out, current.der)
        return
    context.output.table([current], COLUMNS)
