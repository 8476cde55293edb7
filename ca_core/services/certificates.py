"""The desk where certificates are found, handed out and checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission, Role
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate, CertificateState, Ground
from ca_core.domain.errors import BadSignature, IntegrityAlarm, InvalidInput, NotFound, NotPermitted
from ca_core.domain.identifiers import Serial
from ca_core.services.ports import Page, Transaction, Transactions
from ca_core.x509.certificate import SignedCertificate, to_pem
from ca_core.x509.name import render_name
from ca_core.x509.signature import verify_signature

SHA256_HEX = 64
"""Hex digits of a fingerprint; no serial number is that long."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a certificate is ours and good now."""

    good: bool
    status: str
    """``good``, ``revoked``, ``held``, ``expired``, ``not-yet-valid``, ``unknown``."""
    sentence: str
    serial: str
    subject: str
    issuer: str | None
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    reason: str | None = None


class CertificateDesk:
    """Reads; changes nothing."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, actor: Actor, which: UUID | str) -> Certificate:
        """By id, serial (hex, colon-hex, decimal) or SHA-256 fingerprint; NotFound also for what is not visible."""
        actor.require(Permission.CERTIFICATE_VIEW)
        with self._transactions.read(actor) as tx:
            if isinstance(which, UUID):
                return tx.certificates.get(which, seen_by=actor.visibility)
            fingerprint = which.replace(":", "").strip().lower()
            if len(fingerprint) == SHA256_HEX:
                found = tx.certificates.find(seen_by=actor.visibility, text=fingerprint, limit=1).items
                if not found:
                    raise NotFound("no certificate has this fingerprint")
                return found[0]
            return tx.certificates.by_serial(Serial.parse(which), seen_by=actor.visibility)

    def list(
        self,
        actor: Actor,
        *,
        states: Iterable[str] = (),
        text: str = "",
        expires_before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Certificate]:
        """Newest first; see :meth:`ports.Certificates.find`."""
        actor.require(Permission.CERTIFICATE_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.certificates.find(
                seen_by=actor.visibility,
                states=states,
                text=text,
                expires_before=expires_before,
                cursor=cursor,
                limit=limit,
            )

    def grounds(self, actor: Actor, id: UUID) -> Sequence[Ground]:
        """Why its status was changed, in the words of those who did, oldest first; for staff."""
        actor.require(Permission.CERTIFICATE_VIEW)
        if not actor.roles - {Role.SUBSCRIBER}:
            raise NotPermitted("what staff wrote of a certificate is for staff to read")
        with self._transactions.read(actor) as tx:
            tx.certificates.get(id, seen_by=actor.visibility)
            return tx.certificates.grounds(id)

    def chain(self, actor: Actor, id: UUID) -> Sequence[bytes]:
        """DER of the certificate, its issuer, and so on up to the root."""
        actor.require(Permission.CERTIFICATE_VIEW)
        with self._transactions.read(actor) as tx:
            certificate = tx.certificates.get(id, seen_by=actor.visibility)
            if certificate.der is None:
                raise NotFound(f"certificate {certificate.serial} was never signed")
            return [certificate.der, *(one.certificate for one in _issuers(tx, certificate.issuer))]

    def export(self, actor: Actor, id: UUID, format: str) -> bytes:
        """``pem``, ``der``, or ``chain``: PEM of the certificate and its issuers, the root last."""
        chain = self.chain(actor, id)
        if format == "der":
            return chain[0]
        if format in ("pem", "chain"):
            return "".join(to_pem(der) for der in (chain if format == "chain" else chain[:1])).encode()
        raise InvalidInput("format is pem, der or chain")

    def verify(self, data: bytes) -> Verdict:
        """Whether these bytes (DER or PEM) are a certificate of ours, rightly signed up to our root, in its time and
        not revoked. Anybody may ask; MalformedDer for bytes that are no certificate."""
        parsed = SignedCertificate.parse(data)
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            issuer = issuer_of(tx, parsed)
            if issuer is None:
                return _verdict(parsed, None, "unknown", "it was not issued here")
            row = tx.certificates.lookup(issuer.id, parsed.serial)
            if row is None or not _is_of(row, parsed):
                return _verdict(parsed, issuer, "unknown", "it was not issued here")
            for authority in _issuers(tx, issuer.id):
                own = tx.certificates.get(authority.certificate_id, seen_by=EVERYTHING)
                if own.state is not CertificateState.ISSUED or not own.not_before <= tx.now <= own.not_after:
                    return _verdict(parsed, issuer, "revoked", f"its issuer {authority.name} is not valid any more")
            return _judge(parsed, issuer, row, tx.now)


def _is_of(row: Certificate, parsed: SignedCertificate) -> bool:
    """Whether these bytes, rightly signed, are what the row is about. Of a given up intent the signature was never
    recorded, and may exist all the same (invariant 3)."""
    if row.der is None:
        return row.state is CertificateState.ABANDONED and row.tbs == parsed.tbs
    return row.der == parsed.der


def _judge(parsed: SignedCertificate, issuer: Authority, row: Certificate, now: datetime) -> Verdict:
    if row.state is not CertificateState.ISSUED:
        status = "held" if row.state is CertificateState.HELD else "revoked"
        reason = row.reason.label if row.reason is not None else "unspecified"
        since = f"{row.revoked_at:%Y-%m-%d %H:%M:%S} UTC" if row.revoked_at else "unknown"
        return _verdict(parsed, issuer, status, f"it is revoked ({reason}) since {since}", row=row)
    if now < row.not_before:
        return _verdict(parsed, issuer, "not-yet-valid", f"it is valid from {row.not_before:%Y-%m-%d %H:%M:%S} UTC")
    if now > row.not_after:
        return _verdict(parsed, issuer, "expired", f"it ended on {row.not_after:%Y-%m-%d %H:%M:%S} UTC")
    return _verdict(parsed, issuer, "good", "it is good", row=row)


def _verdict(
    parsed: SignedCertificate, issuer: Authority | None, status: str, words: str, *, row: Certificate | None = None
) -> Verdict:
    return Verdict(
        good=status == "good",
        status=status,
        sentence=f"certificate {parsed.serial}: {words}",
        serial=parsed.serial.hex,
        subject=render_name(parsed.subject),
        issuer=issuer.name if issuer else None,
        not_before=parsed.not_before,
        not_after=parsed.not_after,
        revoked_at=row.revoked_at if row else None,
        reason=row.reason.label if row and row.reason is not None else None,
    )


def issuer_of(tx: Transaction, parsed: SignedCertificate) -> Authority | None:
    """The authority whose name and key made the signature."""
    for authority in tx.authorities.issuers():
        own = SignedCertificate.parse(authority.certificate)
        if own.subject != parsed.issuer:
            continue
        try:
            verify_signature(own.public_key_info, parsed.signature_algorithm, parsed.tbs, parsed.signature)
        except BadSignature:
            continue
        return authority
    return None


def _issuers(tx: Transaction, first: UUID) -> Sequence[Authority]:
    """From the issuer up to the root."""
    found: list[Authority] = []
    next_id: UUID | None = first
    while next_id is not None:
        if any(one.id == next_id for one in found):
            raise IntegrityAlarm("the authorities certify each other in a circle")
        authority = tx.authorities.get(next_id, seen_by=EVERYTHING)
        found.append(authority)
        next_id = authority.parent
    return found
