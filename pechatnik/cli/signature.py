"""``pechatnik signature``: time stamps."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.errors import InvalidInput
from ca_core.x509.timestamp import MessageImprint, TimestampRequest, granted
from pechatnik.cli.context import context_of, read_file, write_file
from pechatnik.cli.exit_codes import NEGATIVE

app = typer.Typer(name="signature", help="Signatures and time stamps.", no_args_is_help=True)

COLUMNS = {
    "sequence": "number",
    "gen_time": "time",
    "serial": "serial",
    "hash_algorithm": "digest",
    "policy": "policy",
}


class Digest(StrEnum):
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    SHA3_256 = "sha3_256"
    SHA3_384 = "sha3_384"
    SHA3_512 = "sha3_512"


@app.command()
def timestamp(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What is stamped; - for standard input.")],
    digest: Annotated[Digest, typer.Option(help="Digest that is stamped.")] = Digest.SHA256,
    out: Annotated[Path | None, typer.Option(help="Write the answer here; FILE.tsr unless it is said.")] = None,
    policy: Annotated[str | None, typer.Option(help="OID of the policy; the authority's first unless said.")] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Make none: verify this answer or token. Exit 3 when it does not hold.")
    ] = None,
) -> int:
    """Have the time-stamping authority of this installation say that the file is there now."""
    context = context_of(ctx)
    content = read_file(file)
    if verify is not None:
        verdict = context.services.timestamp_archive.verify(read_file(verify), content)
        when = f" ({verdict.gen_time.isoformat()})" if verdict.gen_time else ""
        context.output.result(verdict, f"{'valid' if verdict.valid else 'not valid'}: {verdict.detail}{when}")
        return 0 if verdict.valid else NEGATIVE
    if out is None:
        if str(file) == "-":
            raise InvalidInput("--out: is missing; standard input has no name")
        out = file.with_name(f"{file.name}.tsr")
    if out.exists():  # before there is a token that nobody gets
        raise InvalidInput(f"{out} exists already; name another file")
    request = TimestampRequest(
        MessageImprint.make(digest.value, hashlib.new(digest.value, content).digest()),
        policy=policy,
        certificates=True,
    )
    if context.dry_run:
        context.output.result({"out": out}, f"would stamp {file} and write {out}")
        return 0
    token = context.services.timestamping.stamp(context.actor, request)
    write_file(out, granted(token))
    verdict = context.services.timestamp_archive.verify(token, content)
    context.output.result(verdict, f"{file} is stamped: {out}, serial {verdict.serial}")
    return 0


@app.command()
def timestamps(
    ctx: typer.Context,
    of: Annotated[Path | None, typer.Option(help="Only those over this file.")] = None,
    digest: Annotated[Digest, typer.Option(help="Digest that was stamped, with --of.")] = Digest.SHA256,
    cursor: Annotated[str | None, typer.Option(help="Go on where the list before ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
) -> None:
    """Tokens in the archive, newest first."""
    context = context_of(ctx)
    page = context.services.timestamp_archive.find(
        context.actor,
        digest=None if of is None else hashlib.new(digest.value, read_file(of)).digest(),
        cursor=cursor,
        limit=limit,
    )
    context.output.table(page.items, COLUMNS, next_cursor=page.next_cursor)
