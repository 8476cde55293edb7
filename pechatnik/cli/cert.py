"""``pechatnik cert``: request, issue, find, check, hold, revoke, replace."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ca_core.domain.certificate import Certificate, CertificateState, FinalReason
from ca_core.domain.errors import InvalidInput
from ca_core.services.replacement_reason import Circumstance
from pechatnik.cli.application import Number, _find
from pechatnik.cli.context import Context, context_of, read_file, write_file

app = typer.Typer(name="cert", help="Certificates.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="Serial (hex, colon-hex or decimal), id, or SHA-256 fingerprint.")]
Because = Annotated[str, typer.Option(help="Why, in words, for the record: 1 to 500 characters. Staff must say.")]
COLUMNS = {"serial": "serial", "state": "state", "subject": "subject", "not_after": "not after", "profile": "profile"}


class Format(StrEnum):
    PEM = "pem"
    DER = "der"
    CHAIN = "chain"


def find(context: Context, which: str) -> Certificate:
    try:
        return context.services.certificates.get(context.actor, UUID(which))
    except ValueError:
        return context.services.certificates.get(context.actor, which)


def _report(context: Context, certificate: Certificate) -> None:
    reason = f" ({certificate.reason.label})" if certificate.reason is not None else ""
    context.output.result(certificate, f"certificate {certificate.serial} is {certificate.state.value}{reason}")


@app.command()
def request(
    ctx: typer.Context,
    number: Number,
    file: Annotated[Path, typer.Argument(help="PKCS #10 request, PEM or DER; - for standard input.")],
) -> None:
    """Hand in the certification request of an approved application."""
    context = context_of(ctx)
    found = _find(context, number)
    done = context.services.requests.receive(context.actor, found.id, read_file(file), version=found.version)
    context.output.result(
        done, f"application {done.number}: the request was taken, its key is sound and its signature right"
    )


@app.command()
def issue(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path | None, typer.Option(help="Write the certificate (PEM) here.")] = None,
) -> None:
    """Issue the certificate of an application whose request is in."""
    context = context_of(ctx)
    found = _find(context, number)
    if context.dry_run:
        prepared = context.services.issuance.preview(context.actor, found.id)
        context.output.result(prepared, f"would be signed: {prepared.subject}, until {prepared.not_after.isoformat()}")
        return
    certificate = context.services.issuance.issue(context.actor, found.id, version=found.version)
    if out is not None:
        write_file(out, context.services.certificates.export(context.actor, certificate.id, "pem"))
    _report(context, certificate)


@app.command()
def accept(ctx: typer.Context, number: Number) -> None:
    """Accept the issued certificate; prints the code that reports its token lost."""
    context = context_of(ctx)
    found = _find(context, number)
    application, code = context.services.acceptance.accept(context.actor, found.id, version=found.version)
    context.output.result(
        {"application": application, "report_code": code},
        f"application {application.number} is accepted\n"
        f"keep this code, it reports a lost token without a log-in: {code}",
    )


@app.command()
def show(ctx: typer.Context, which: Which) -> None:
    context = context_of(ctx)
    c = find(context, which)
    lines = [f"{c.serial}  {c.state.value}", f"  {c.subject}", f"  {c.profile} {c.profile_version}"]
    lines.append(f"  {c.not_before.isoformat()} .. {c.not_after.isoformat()}")
    if c.reason is not None and c.revoked_at is not None:
        lines.append(f"  {c.reason.label} since {c.revoked_at.isoformat()}")
    context.output.result(c, "\n".join(lines))


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[list[CertificateState], typer.Option()] = [],  # noqa: B006
    text: Annotated[str, typer.Option(help="Serial, subject or fingerprint.")] = "",
    cursor: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The certificates that you may see, newest first."""
    context = context_of(ctx)
    page = context.services.certificates.list(context.actor, states=state, text=text, cursor=cursor, limit=limit)
    context.output.table(page.items, COLUMNS, next_cursor=page.next_cursor)


@app.command()
def hold(ctx: typer.Context, which: Which, because: Because = "") -> None:
    """Suspend at once."""
    context = context_of(ctx)
    found = find(context, which)
    done = context.services.revocation.hold(context.actor, found.id, because=because, version=found.version)
    _report(context, done)


@app.command()
def unhold(ctx: typer.Context, which: Which, because: Because = "") -> None:
    """Lift a hold."""
    context = context_of(ctx)
    found = find(context, which)
    done = context.services.revocation.unhold(context.actor, found.id, because=because, version=found.version)
    _report(context, done)


@app.command()
def revoke(
    ctx: typer.Context,
    which: Which,
    reason: Annotated[FinalReason, typer.Option(help="CRLReason.")],
    invalidity_date: Annotated[datetime | None, typer.Option(help="Since when the key is suspect (UTC).")] = None,
    because: Because = "",
) -> None:
    """Revoke for good."""
    context = context_of(ctx)
    found = find(context, which)
    if context.dry_run:
        context.output.result(found, f"would revoke {found.serial}, {found.subject}: {reason.value}")
        return
    context.confirm(f"Revoke {found.serial}, {found.subject}, for good ({reason.value})?")
    from datetime import UTC

    since = invalidity_date.replace(tzinfo=UTC) if invalidity_date else None
    _report(
        context,
        context.services.revocation.revoke(
            context.actor,
            found.id,
            reason=reason.reason,
            invalidity_date=since,
            because=because,
            version=found.version,
        ),
    )


@app.command()
def replace(
    ctx: typer.Context, which: Which, circumstance: Annotated[Circumstance, typer.Option()], because: Because = ""
) -> None:
    """Report the token lost, broken or compromised, or the data changed, and start the application for a new one.

    Staff say why where the certificate is put on hold or revoked: lost, compromised."""
    context = context_of(ctx)
    found = find(context, which)
    started = context.services.replacement.report(context.actor, found.id, circumstance=circumstance, because=because)
    context.output.result(started, f"application {started.number} for the replacement was started")


@app.command()
def found(ctx: typer.Context, which: Which, because: Because = "") -> None:
    """The lost token was found: lift the hold."""
    context = context_of(ctx)
    certificate = find(context, which)
    _report(context, context.services.replacement.found(context.actor, certificate.id, because=because))


@app.command()
def export(
    ctx: typer.Context,
    which: Which,
    format: Annotated[Format, typer.Option()] = Format.PEM,
    out: Annotated[Path, typer.Option(help="File to write; - for standard output.")] = Path("-"),
) -> None:
    """Write a certificate, or it with its chain."""
    context = context_of(ctx)
    certificate = find(context, which)
    if not certificate.exists:
        raise InvalidInput(f"certificate {certificate.serial} was never signed; there is nothing to export")
    write_file(out, context.services.certificates.export(context.actor, certificate.id, format.value))
