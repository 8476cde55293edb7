"""``pechatnik cert batch``: a file of rows in, a file of results out, and again after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import typer

from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError, InvalidInput
from ca_core.services.batch import BatchRow
from ca_core.x509.pem import to_pem
from pechatnik.cli.context import Context, context_of, identifier
from pechatnik.cli.exit_codes import NEGATIVE

LONGEST = 100_000
"""Characters of one row; a request has a few thousand."""

Outcome = Application | Certificate | CaError


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the file."""

    number: int
    """From 1."""
    application: str
    row: BatchRow | InvalidInput


def batch(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help='Rows: {"application": NUMBER or id, "request": PEM}, one on a line.')],
    result: Annotated[Path, typer.Argument(help="Where results go, one on a line; run again to go on after a stop.")],
) -> int:
    """Issue the certificates of many approved applications. Exit 3 when a row was refused."""
    context = context_of(ctx)
    done = issued_before(result)
    if context.dry_run:
        counts = _run(context, _lines(file), done, lambda rows: context.services.batch.look(context.actor, rows), None)
    else:
        with _appending(result) as out:
            counts = _run(
                context, _lines(file), done, lambda rows: context.services.batch.issue(context.actor, rows), out
            )
    said = f"{counts['issued']} issued, {counts['refused']} refused, {counts['before']} issued before"
    if context.dry_run:
        said = f"{counts['issued']} applications found, {counts['refused']} refused, {counts['before']} issued before"
    context.output.result({**counts, "result": result}, said)
    return NEGATIVE if counts["refused"] else 0


def _run(
    context: Context,
    lines: Iterable[Line],
    done: dict[int, str],
    work: Callable[[Iterable[BatchRow]], Iterator[Outcome]],
    out: IO[str] | None,
) -> dict[str, int]:
    counts = {"issued": 0, "refused": 0, "before": 0}
    given: list[Line] = []

    def rows() -> Iterator[BatchRow]:
        """Those that are still to do; what cannot be a row is answered for here."""
        for line in lines:
            if line.number in done:
                if done[line.number] != line.application:
                    raise InvalidInput(
                        f"row {line.number} of the results is about {done[line.number]}, not {line.application}; "
                        "name the results of this file, or a new one"
                    )
                counts["before"] += 1
            elif isinstance(line.row, InvalidInput):
                counts["refused"] += 1
                _write(out, line, line.row)
            else:
                given.append(line)
                yield line.row

    with context.output.counting("rows") as count:
        for number, outcome in enumerate(work(rows())):
            counts["refused" if isinstance(outcome, CaError) else "issued"] += 1
            _write(out, given[number], outcome)
            count(1)
    return counts


def _write(out: IO[str] | None, line: Line, outcome: Outcome) -> None:
    if out is None:
        return
    said: dict[str, object] = {"row": line.number, "application": line.application}
    if isinstance(outcome, Certificate):
        assert outcome.der is not None
        said |= {"serial": outcome.serial.hex, "certificate": to_pem(outcome.der)}
    elif isinstance(outcome, CaError):
        said["error"] = {"code": outcome.code, "detail": outcome.detail}
    out.write(json.dumps(said, ensure_ascii=False) + "\n")
    out.flush()


def _lines(file: Path) -> Iterator[Line]:
    try:
        with file.open(encoding="utf-8") as stream:
            for number, text in enumerate(iter(lambda: stream.readline(LONGEST + 1), ""), start=1):
                if text.strip():
                    yield _line(number, text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {getattr(error, 'strerror', 'it is not UTF-8')}") from None


def _line(number: int, text: str) -> Line:
    fault = InvalidInput('a row is a JSON object: {"application": NUMBER or id, "request": PEM or nothing}')
    if len(text) > LONGEST:
        raise InvalidInput(f"row {number} is longer than {LONGEST} characters")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return Line(number=number, application="", row=fault)
    if not isinstance(said, dict) or not {"application"} <= said.keys() <= {"application", "request"}:
        return Line(number=number, application="", row=fault)
    application, request = said["application"], said.get("request")
    if not isinstance(application, str) or not (request is None or isinstance(request, str)):
        return Line(number=number, application="", row=fault)
    row = BatchRow(application=identifier(application), request=None if request is None else request.encode())
    return Line(number=number, application=application, row=row)


def issued_before(result: Path) -> dict[int, str]:
    """Rows that the results say are issued, with their applications. A last line that a kill cut off is not one."""
    if not result.exists():
        return {}
    done: dict[int, str] = {}
    try:
        for text in result.read_text(encoding="utf-8").splitlines():
            try:
                said = json.loads(text)
            except ValueError:
                continue
            if "certificate" in said:
                done[int(said["row"])] = str(said["application"])
    except (OSError, UnicodeDecodeError, TypeError, KeyError, ValueError):
        raise InvalidInput(f"{result} holds no results of a batch; name another file") from None
    return done


def _appending(result: Path) -> IO[str]:
    try:
        with result.open("ab+") as end:
            if end.tell() and end.seek(-1, os.SEEK_END) >= 0 and end.read(1) != b"\n":
                end.write(b"\n")  # a kill cut the last line off
        return result.open("a", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{result} cannot be written: {error.strerror}") from None
