"""The desk where certificates are found, handed out and checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Permission, Role
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate, Ground
from ca_core.domain.errors import BadSignature, IntegrityAlarm, InvalidInput, NotFound, NotPermitted
from ca_core.domain.identifiers import Serial
from ca_core.services.ports import Page, Transaction, Transactions
from ca_core.x509.certificate import SignedCertificate, read_issuer, to_pem
from ca_core.x509.signature import verify_signature

SHA256_HEX = 64
"""Hex digits of a fingerprint; no serial number is that long."""


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


def issuer_of(tx: Transaction, parsed: SignedCertificate) -> Authority | None:
    """The authority whose name and key made the signature."""
    for authority in tx.authorities.issuers():
        own = read_issuer(authority.certificate)
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
