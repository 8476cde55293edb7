"""``pechatnik cert import``: the certificates of another authority's software."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.errors import InvalidInput
from ca_core.domain.importing import Refusal
from ca_core.x509.bundle import Piece, pieces
from pechatnik.cli.context import MAX_LIST, context_of, read_file
from pechatnik.cli.exit_codes import NEGATIVE
from pechatnik.processes import spread_over


class Signatures(StrEnum):
    ALL = "all"
    NONE = "none"


def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="PEM bundles, DER one after the other, or folders of them.")],
    issuer: Annotated[str, typer.Option(help="The authority that issued them; see 'ca import'.")],
    crl: Annotated[list[Path] | None, typer.Option(help="Its last full list; once for each partition.")] = None,
    index: Annotated[Path | None, typer.Option(help="Instead of a list: index.txt of 'openssl ca'.")] = None,
    owner: Annotated[
        str | None, typer.Option(help="E-mail of the account whose all of them are; else they are nobody's.")
    ] = None,
    signatures: Annotated[
        Signatures, typer.Option(help="Verify the issuer's signature of all, or of none where that was done before.")
    ] = Signatures.ALL,
    refused: Annotated[Path, typer.Option(help="File for what is refused, one JSON object a line.")] = Path(
        "refused.jsonl"
    ),
    processes: Annotated[int, typer.Option(min=1, help="That read and verify.")] = os.cpu_count() or 1,
) -> int:
    """Take in certificates with the status that they have. Exit 3 when some were refused.

    Begin again after an interruption: what was taken in already is passed over."""
    context = context_of(ctx)
    if (index is None) == (not crl):
        raise InvalidInput("say with --crl or with --index which of them are revoked")
    service = context.services.certificate_import
    read_list = partial(read_file, limit=MAX_LIST)
    status = service.former_status(
        context.actor, issuer, lists=map(read_list, crl or ()), index=None if index is None else read_list(index)
    )
    account = None if owner is None else context.services.accounts.find_by_email(context.actor, owner).id
    with (
        _refusals(refused) as refuse,
        context.output.counting("certificates") as progress,
        spread_over(processes) as spread,
    ):
        report = service.take_in(
            context.actor,
            issuer,
            _pieces(files),
            status,
            signatures=signatures is Signatures.ALL,
            owner=account,
            dry_run=context.dry_run,
            refuse=refuse,
            progress=progress,
            spread=spread,
        )
    verb = "would be taken in" if context.dry_run else "taken in"
    words = f"{report.taken:,} {verb}, {report.known:,} were here already, {report.refused:,} refused"
    context.output.result(report, words + (f": {refused} says why" if report.refused else ""))
    return NEGATIVE if report.refused else 0


def _pieces(paths: Sequence[Path]) -> Iterator[Piece]:
    """Of all files, those in folders by name."""
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            with ExitStack() as stack:
                try:
                    opened = stack.enter_context(file.open("rb"))
                    # An empty file cannot be mapped.
                    size = os.fstat(opened.fileno()).st_size
                    data = stack.enter_context(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)) if size else b""
                except OSError as error:
                    raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None
                yield from pieces(str(file), data)


@contextmanager
def _refusals(path: Path) -> Iterator[Callable[[Refusal], None]]:
    """Writes them as they come; a file of an earlier run is replaced, since this one looks at everything again."""
    try:
        with path.open("w") as file:

            def refuse(refusal: Refusal) -> None:
                file.write(json.dumps(refusal._asdict(), ensure_ascii=False) + "\n")

            yield refuse
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from None


def register(app: typer.Typer) -> None:
    """Add the command to those of ``cert``."""
    app.command("import")(import_)
