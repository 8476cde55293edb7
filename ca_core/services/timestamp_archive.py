"""Tokens that were handed out: found again, and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import Authority, AuthorityKind
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.errors import BadSignature, CaError, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.domain.timestamp import Timestamp
from ca_core.services.ports import Page, Transaction, Transactions
from ca_core.x509.certificate import read_issuer
from ca_core.x509.extension_values import key_period_of
from ca_core.x509.signature import verify_signature
from ca_core.x509.signed_data import SignedAttributes, SignedMessage
from ca_core.x509.timestamp import TimestampResponse
from ca_core.x509.tst_info import TST_INFO, TstInfo

PAGE = 500
"""Rows of a page at most."""
HARMLESS = frozenset(
    {RevocationReason.AFFILIATION_CHANGED, RevocationReason.SUPERSEDED, RevocationReason.CESSATION_OF_OPERATION}
)
"""Revoked for these, a key is not taken for compromised, and what it signed before holds (RFC 3161 §4). Unspecified is
not among them: lists leave that reason out (RFC 5280 §5.3.1), so it is read as none."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a token of ours proves that something was there at its time."""

    valid: bool
    detail: str
    """Why not; or that it does."""
    gen_time: datetime | None = None
    accuracy: timedelta | None = None
    serial: Serial | None = None
    policy: str | None = None
    hash_algorithm: str | None = None
    tsa: str | None = None
    """Name of the authority here."""


class TimestampArchive:
    """Lists tokens and looks into them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def find(
        self, actor: Actor, *, digest: bytes | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Timestamp]:
        """Newest first, those that the actor may see; ``digest`` is the one that was stamped."""
        actor.require(Permission.TIMESTAMP_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.timestamps.find(
                seen_by=actor.visibility,
                imprint_sha256=None if digest is None else hashlib.sha256(digest).digest(),
                cursor=cursor,
                limit=min(max(limit, 1), PAGE),
            )

    def get(self, actor: Actor, serial: Serial) -> Timestamp:
        """By its serial number; NotFound."""
        actor.require(Permission.TIMESTAMP_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.timestamps.by_serial(serial, seen_by=actor.visibility)

    def verify(self, encoded: bytes, content: bytes) -> Verdict:
        """Whether a DER TimeStampResp or TimeStampToken of this installation is over that content; anybody may ask.

        Every token of another authority is not valid here: its path is for others to judge."""
        try:
            message = SignedMessage.parse(_token_in(encoded))
            if message.content_type != TST_INFO:
                return Verdict(valid=False, detail="this is signed data, and no time-stamp token")
            info = TstInfo.parse(message.content)
            attributes = SignedAttributes.parse(message.attributes)
            named = attributes.certificate_digest
            signed = (attributes.content_type, attributes.message_digest)
        except CaError as unreadable:
            return Verdict(valid=False, detail=f"the token cannot be read: {unreadable.detail}")
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            authority = next((one for one in tx.authorities.all() if _is_signer(one, message, named)), None)
            fault = (
                "it was not made by a time-stamping authority of this installation"
                if authority is None
                else _fault(tx, authority, message, signed, info, content)
            )
        return Verdict(
            valid=fault is None,
            detail=fault or "the content was there at that time",
            gen_time=info.gen_time,
            accuracy=info.accuracy,
            serial=info.serial,
            policy=info.policy,
            hash_algorithm=info.imprint.algorithm,
            tsa=None if authority is None else authority.name,
        )


def _token_in(encoded: bytes) -> bytes:
    try:
        response = TimestampResponse.parse(encoded)
    except MalformedDer:
        return encoded
    if response.token is None:
        raise MalformedDer(f"the answer is a refusal: {response.text}")
    return response.token


def _is_signer(authority: Authority, message: SignedMessage, named: tuple[str, bytes] | None) -> bool:
    certificate = read_issuer(authority.certificate)
    return (
        authority.kind is AuthorityKind.TSA
        and named is not None
        and named[1] == hashlib.new(named[0], certificate.der).digest()
        and (message.issuer, message.serial) == (certificate.issuer, certificate.serial.value)
    )


def _fault(
    tx: Transaction,
    authority: Authority,
    message: SignedMessage,
    signed: tuple[str | None, bytes | None],
    info: TstInfo,
    content: bytes,
) -> str | None:
    """What speaks against it."""
    certificate = read_issuer(authority.certificate)
    if info.imprint.digest != hashlib.new(info.imprint.algorithm, content).digest():
        return "it is about something else"
    if signed != (TST_INFO, hashlib.new(message.digest, message.content).digest()):
        return "what it says is not what was signed"
    try:
        verify_signature(
            certificate.public_key_info, message.signature_algorithm, message.attributes, message.signature
        )
    except (BadSignature, MalformedDer):
        return "its signature does not verify"
    begin, end = key_period_of(certificate)
    if not begin <= info.gen_time <= end:
        return "the authority's key was not in its time"
    while authority.parent is not None:
        if _is_revoked(tx.certificates.get(authority.certificate_id, seen_by=EVERYTHING), info.gen_time):
            return f"the certificate of {authority.name} is revoked"
        authority = tx.authorities.get(authority.parent, seen_by=EVERYTHING)
    return None


def _is_revoked(certificate: Certificate, at: datetime) -> bool:
    """For what was signed at that time."""
    if certificate.state is CertificateState.ISSUED:
        return False
    return certificate.reason not in HARMLESS or certificate.revoked_at is None or certificate.revoked_at <= at
