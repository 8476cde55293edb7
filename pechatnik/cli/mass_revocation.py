"""``pechatnik cert revoke-many``: shown by a dry run, asked for by one person, approved and carried out by another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ca_core.domain.certificate import FinalReason
from ca_core.domain.errors import InvalidInput
from ca_core.domain.identifiers import Serial
from ca_core.domain.mass_revocation import MassRevocation, Selection
from pechatnik.cli.cert import Because
from pechatnik.cli.context import context_of, read_file
from pechatnik.cli.exit_codes import NOT_PERMITTED

Digest = Annotated[str, typer.Option(help="Of what the dry run showed; 64 hex digits.")]
COLUMNS = {"id": "id", "count": "certificates", "done": "done", "revoked": "revoked", "asked_at": "asked"}


def revoke_many(
    ctx: typer.Context,
    reason: Annotated[FinalReason, typer.Option(help="CRLReason of all of them.")],
    issuer: Annotated[str | None, typer.Option(help="Only of this authority.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only of this profile: pack/name, or imported.")] = None,
    issued_from: Annotated[datetime | None, typer.Option(help="Only valid since then or later (UTC).")] = None,
    issued_before: Annotated[datetime | None, typer.Option(help="Only valid since an earlier moment (UTC).")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="Only these serial numbers, one a line; - for standard input.")
    ] = None,
    invalidity_date: Annotated[datetime | None, typer.Option(help="Since when the keys are suspect (UTC).")] = None,
    because: Because = "",
    digest: Digest = "",
) -> int:
    """Ask for the revocation of many certificates, with the digest that --dry-run prints. Exit 5: somebody else has to
    approve it, with 'cert approve-revocation'."""
    context = context_of(ctx)
    service = context.services.mass_revocations
    authorities = context.services.authorities.list(context.actor)
    found = next((one.id for one in authorities if one.name == issuer), None)
    if issuer is not None and found is None:
        raise InvalidInput(f"there is no authority named {issuer!r}; 'pechatnik ca show' lists them")
    serials = None if from_file is None else frozenset(map(Serial.parse, read_file(from_file).decode().split()))
    selection = Selection(
        issuer=found,
        profile=profile,
        valid_from=_utc(issued_from),
        valid_before=_utc(issued_before),
        serials=serials,
    )
    since = _utc(invalidity_date)
    if context.dry_run:
        shown = service.preview(context.actor, selection, reason=reason.reason, because=because, invalidity_date=since)
        lines = [f"  {one['count']:,}  {one['issuer']}  {one['profile']}  {one['state']}" for one in shown.by]
        missing = [f"{shown.not_found:,} serial numbers name none of them"] if shown.not_found else []
        head = f"would revoke {shown.count:,} certificates ({reason.value})"
        context.output.result(shown, "\n".join([head, *lines, *missing, f"digest {shown.digest.hex()}"]))
        return 0
    asked = service.ask(
        context.actor,
        selection,
        reason=reason.reason,
        because=because,
        invalidity_date=since,
        digest=_digest(digest),
    )
    context.output.result(
        asked,
        f"{asked.count:,} certificates are to be revoked when somebody else approves it:\n"
        f"pechatnik cert approve-revocation {asked.id} --digest {asked.digest.hex()}",
    )
    return NOT_PERMITTED


def approve_revocation(
    ctx: typer.Context,
    which: Annotated[UUID, typer.Argument(help="Id of what was asked for.")],
    digest: Digest,
) -> None:
    """Approve a mass revocation that somebody else asked for, and carry it out. Interrupted, the worker goes on."""
    context = context_of(ctx)
    service = context.services.mass_revocations
    mass = service.get(context.actor, which)
    context.confirm(f"Revoke {mass.count:,} certificates for good ({mass.reason.label})?")
    service.approve(context.actor, which, digest=_digest(digest))
    with context.output.counting("certificates") as progress:
        done = service.carry_out(which, progress=progress)
    context.output.result(done, _words(done))


def revocations(ctx: typer.Context) -> None:
    """Mass revocations that were asked for, and how far they are."""
    context = context_of(ctx)
    context.output.table(context.services.mass_revocations.list(context.actor), COLUMNS)


def _words(mass: MassRevocation) -> str:
    before = mass.count - mass.revoked
    return f"{mass.revoked:,} certificates are revoked" + (f", {before:,} had been before" if before else "")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidInput("the digest is not in hex; take it from the dry run") from None


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``cert``."""
    app.command("revoke-many")(revoke_many)
    app.command("approve-revocation")(approve_revocation)
    app.command("revocations")(revocations)
