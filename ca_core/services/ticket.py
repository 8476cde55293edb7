"""A ticket: what is settled about one certificate before the key signs it; and what its row says, before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.application import Application
from ca_core.domain.audit import said
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.identifiers import Serial
from ca_core.domain.profile import Profile
from ca_core.services.certificate_content import Content, Issuer, compose, urls_of
from ca_core.services.ports import Transaction
from ca_core.x509.algorithm import signature_algorithm_identifier


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """Good for one signature."""

    profile: Profile
    issuer: Issuer
    serial: Serial
    partition: int
    """The one in the distribution point of ``content`` (invariant 9)."""
    spki_sha256: bytes
    content: Content


def prepare(
    profile: Profile,
    issuer: Issuer,
    *,
    serial: Serial,
    partition: int = 0,
    subject: Mapping[str, str],
    san: Sequence[tuple[str, str]] = (),
    identification: str | None = None,
    public_key_info: bytes,
    base_url: str,
    now: datetime,
) -> Ticket:
    """Compose and lint, without database and key; errors as of :func:`compose`."""
    content = compose(
        profile,
        issuer_certificate=issuer.certificate,
        signature_algorithm=signature_algorithm_identifier(issuer.signature_algorithm),
        subject=subject,
        san=san,
        identification=identification,
        public_key_info=public_key_info,
        serial=serial,
        now=now,
        urls=urls_of(issuer.key_identifier, base=base_url, partition=partition) if issuer.certificate else {},
    )
    return Ticket(
        profile=profile,
        issuer=issuer,
        serial=serial,
        partition=partition,
        spki_sha256=hashlib.sha256(public_key_info).digest(),
        content=content,
    )


def intent_for(
    tx: Transaction,
    ticket: Ticket,
    *,
    application: Application | None = None,
    approval_digest: bytes | None = None,
    **details: object,
) -> Certificate:
    """The intent, on record; the caller stores it, so that it is durable before the key is used (invariants 1 and 3).
    Without application it is a certificate of the authority's own; ``details`` go on record with what every intent
    says."""
    profile, issuer, content = ticket.profile, ticket.issuer, ticket.content
    intent = Certificate(
        id=tx.new_id(),
        issuer=issuer.id,
        serial=ticket.serial,
        profile=profile.key,
        profile_version=profile.version,
        profile_digest=profile.digest,
        application=application.id if application else None,
        approval_digest=approval_digest,
        owner=application.owner if application else SYSTEM_ACTOR.id,
        centre=application.centre if application else None,
        subject=content.subject,
        tbs=content.linted.der,
        tbs_sha256=content.linted.sha256,
        spki_sha256=ticket.spki_sha256,
        not_before=content.not_before,
        not_after=content.not_after,
        partition=ticket.partition,
        replaces=application.replaces if application else None,
        created_at=tx.now,
    )
    tx.audit.record(
        "certificate.intent",
        "certificate",
        intent.id,
        serial=ticket.serial.hex,
        tbs=content.linted.sha256.hex(),
        profile=profile.digest.hex(),
        profile_name=f"{profile.key} {profile.version}",
        issuer=str(issuer.id),
        issuer_key=issuer.key_identifier.hex(),
        algorithm=issuer.signature_algorithm.value,
        key=ticket.spki_sha256.hex(),
        partition=ticket.partition,
        subject=said(content.subject),
        centre=str(intent.centre) if intent.centre else None,
        replaces=str(intent.replaces) if intent.replaces else None,
        **({"application": str(application.id)} if application else {}),
        **details,
    )
    return intent


SIGNED = ("state", "der", "sha256", "issued_at")
"""The fields of an intent that its signature changes."""


def issued_for(tx: Transaction, intent: Certificate, signed: bytes) -> Certificate:
    """The certificate (DER) that was signed for the intent, on record as issued; the caller stores it in the intent's
    place."""
    fingerprint = hashlib.sha256(signed).digest()
    issued = replace(intent, state=CertificateState.ISSUED, der=signed, sha256=fingerprint, issued_at=tx.now)
    tx.audit.record("certificate.issued", "certificate", issued.id, serial=issued.serial.hex, sha256=fingerprint.hex())
    return issued
