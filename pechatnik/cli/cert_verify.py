"""``pechatnik cert verify``: whether a certificate, ours or anybody's, is valid."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.errors import ConfigurationError, InvalidInput
from ca_core.domain.path_validation import Evidence, EvidenceKind, PathVerdict, Question, RevocationChecking
from pechatnik.cli.cert import find
from pechatnik.cli.context import context_of, read_file
from pechatnik.cli.exit_codes import NEGATIVE


def verify(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(help="File (PEM or DER), - for stdin; or serial, id, fingerprint of ours.")],
    chain: Annotated[Path | None, typer.Option(help="Intermediates, PEM or DER; they are not trusted.")] = None,
    at: Annotated[datetime | None, typer.Option(help="When it has to be valid (UTC); now unless given.")] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="Trust what is in this folder (*.pem), and nothing else; not our own roots.")
    ] = None,
    revocation: Annotated[
        RevocationChecking | None, typer.Option(help="What is made of one whose status nobody tells.")
    ] = None,
    crl: Annotated[list[Path], typer.Option(help="Revocation list of another authority, DER.")] = [],  # noqa: B006
) -> int:
    """Whether a certificate is valid: its chain, its time, its status. Exit 3 when not."""
    from ca_core.validation.anchors import read_anchors, split_certificates

    context = context_of(ctx)
    service = context.services.path_validation
    policy = service.policy
    if revocation is not None:
        policy = dataclasses.replace(policy, revocation=revocation)
    if which == "-" or Path(which).is_file():
        certificate = read_file(Path(which))
    else:
        certificate = context.services.certificates.export(context.actor, find(context, which).id, "der")
    question = Question(
        certificate=certificate,
        intermediates=() if chain is None else tuple(split_certificates(str(chain), read_file(chain))),
        lists=tuple(read_file(one) for one in crl),
        at=None if at is None else at.replace(tzinfo=UTC),
        policy=policy,
    )
    try:
        trusted = None if anchors is None else read_anchors(anchors)
    except ConfigurationError as error:
        raise InvalidInput(error.detail) from None  # here it is the command that names the folder
    verdict = service.validate(context.actor, question, anchors=trusted)
    context.output.result(verdict, _words(verdict))
    return 0 if verdict.valid else NEGATIVE


def _words(verdict: PathVerdict) -> str:
    lines = [f"{verdict.sentence} ({verdict.reason.value})" if not verdict.valid else verdict.sentence]
    lines += [f"  {place} {link.subject}  {link.serial}" for place, link in enumerate(verdict.chain)]
    lines += [f"  {_evidence(one)}" for one in verdict.evidence]
    lines += [f"  not known: {one}" for one in verdict.unknown]
    return "\n".join(lines)


def _evidence(one: Evidence) -> str:
    if one.kind is EvidenceKind.STORE:
        return f"status of {one.certificate}: our own record"
    number = "" if one.number is None else f" {one.number}"
    until = "" if one.next_update is None else f", until {one.next_update:%Y-%m-%d %H:%M}Z"
    return f"status of {one.certificate}: {one.kind.value.upper()}{number} of {one.this_update:%Y-%m-%d %H:%M}Z{until}"


def register(app: typer.Typer) -> None:
    """Add the command to those of ``cert``."""
    app.command()(verify)
