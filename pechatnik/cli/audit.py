"""``pechatnik audit``: read, export and verify the record of everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ca_core.domain.errors import InvalidInput
from pechatnik.cli.context import context_of, identifier, write_file
from pechatnik.cli.exit_codes import NEGATIVE

if TYPE_CHECKING:
    from ca_core.services.audit_chain import AuditReport

app = typer.Typer(name="audit", help="The audit trail.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    after: Annotated[int | None, typer.Option(min=0, help="From this record on; without it, the newest.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    object_id: Annotated[str | None, typer.Option(help="Only records about this object.")] = None,
    journey: Annotated[str | None, typer.Option(help="All of one application: its number or id.")] = None,
) -> None:
    """Records in their order: the newest, those after a given one, or all of one application."""
    context = context_of(ctx)
    columns = {
        "sequence": "#",
        "at": "at",
        "actor_name": "who",
        "action": "what",
        "object_id": "on",
        "details": "details",
    }
    if journey is not None:
        context.output.table(context.services.journeys.records(context.actor, identifier(journey)), columns)
        return
    records = context.services.audit.list(context.actor, after=after, limit=limit, object_id=object_id)
    context.output.table(records, columns)
    if after is not None and len(records) == limit:
        context.output.say(f"more: --after {records[-1].sequence}")
    if after is None and len(records) == limit and records[0].sequence > 1:
        context.output.say("earlier ones: --after 0, or a larger --limit")


@app.command()
def export(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="File to write; - for standard output.")]
) -> None:
    """Write the whole chain with its checkpoints as JSON lines, for an auditor to verify anywhere."""
    context = context_of(ctx)
    lines = context.services.audit.export(context.actor)
    if str(file) == "-":
        for line in lines:
            typer.echo(line)
        return
    try:
        with file.open("x", encoding="utf-8") as out:
            for line in lines:
                out.write(line + "\n")
    except FileExistsError:
        raise InvalidInput(f"{file} exists already; name another file") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from None
    context.output.say(f"written to {file}; check it anywhere with: pechatnik audit verify {file} --key audit.pem")


@app.command("key")
def write_key(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="File to write; - for standard output.")]
) -> None:
    """Write the public key of the seals (PEM), to be kept where the machine's owner cannot change it."""
    from ca_core.x509.pem import to_pem

    context = context_of(ctx)
    write_file(file, to_pem(context.services.audit.public_key(context.actor), "PUBLIC KEY").encode())


@app.command()
def verify(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="An export; without it, the live database.")] = None,
    key: Annotated[
        list[Path], typer.Option(help="Trusted audit public key (PEM or DER), from elsewhere than the file.")
    ] = [],  # noqa: B006
) -> int:
    """Verify the chain. With FILE neither a database nor a configuration is needed. Exit 3 when it is broken."""
    context = context_of(ctx)
    if file is None:
        report = context.services.audit.verify(context.actor)
    else:
        from ca_core.services.audit_file import verify_export
        from ca_core.x509.pem import public_key_info
        from pechatnik.cli.context import read_file

        try:
            with file.open(encoding="utf-8") as lines:
                report = verify_export(
                    (line.rstrip("\n") for line in lines),
                    trusted_public_keys=[public_key_info(read_file(path)) for path in key],
                )
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{file} cannot be read as text: {error}") from None
    context.output.result(report, _in_words(report, alone=file is not None, trusted=bool(key)))
    return 0 if report.ok else NEGATIVE


def _in_words(report: AuditReport, *, alone: bool, trusted: bool) -> str:
    """``alone``: a file without its database, which is all that a seal does not cover has."""
    if not report.ok:
        where = "rows contradict it" if report.first_broken is None else f"broken at record {report.first_broken}"
        return f"{where}: {'; '.join(report.reasons)}"
    unproven = report.records - report.sealed_up_to if alone else 0
    sentence = f"{report.records} records, sealed up to {report.sealed_up_to}: the chain is whole"
    if alone and not trusted:
        sentence += " in itself; whose it is only --key tells"
    if unproven:
        sentence += f"; the last {unproven} are not proven, since no seal covers them"
    return sentence


@app.command()
def seal(ctx: typer.Context) -> None:
    """Sign a checkpoint over the chain now."""
    context = context_of(ctx)
    checkpoint = context.services.audit.seal(context.actor)
    context.output.result(checkpoint, f"sealed up to record {checkpoint.sequence}")
