"""Hold, unhold and revoke. OCSP reads the same row, so the next answer after the commit says so (invariant 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission, Role
from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.errors import InvalidInput, NotPermitted, WrongState
from ca_core.domain.work import JobKind
from ca_core.services.crl_refresh import refresh_crl
from ca_core.services.events import emit
from ca_core.services.grounds import checked_ground, keep_ground
from ca_core.services.notices import notify
from ca_core.services.ports import Transaction, Transactions
from ca_core.services.row import unless_stale

R = RevocationReason
SUBSCRIBER_REASONS = frozenset(
    {R.UNSPECIFIED, R.KEY_COMPROMISE, R.AFFILIATION_CHANGED, R.SUPERSEDED, R.CESSATION_OF_OPERATION}
)
"""CRLReasons that a subscriber can know to be true; the others are the authority's to give."""

EARLIEST_INVALIDITY = datetime(1950, 1, 1, tzinfo=UTC)
"""The earliest moment that both time types of X.509 can tell (RFC 5280 §4.1.2.5)."""


class Revocation:
    """Status changes of certificates that were issued."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def hold(self, actor: Actor, id: UUID, *, because: str = "", version: int | None = None) -> Certificate:
        """Suspend at once (certificateHold). ``because``: see :func:`.grounds.checked_ground`, here and below."""
        actor.require(Permission.CERTIFICATE_HOLD)
        ground = checked_ground(actor, because)
        with self._transactions.begin(actor) as tx:
            certificate = unless_stale(tx.certificates.get(id, seen_by=actor.visibility), version)
            if _authority_of(tx, certificate) is not None:
                raise WrongState("the certificate of an authority cannot be put on hold; it can be revoked")
            return put_on_hold(tx, certificate, by=actor.id, ground=ground)

    def unhold(self, actor: Actor, id: UUID, *, because: str = "", version: int | None = None) -> Certificate:
        """Lift a hold."""
        actor.require(Permission.CERTIFICATE_UNHOLD)
        ground = checked_ground(actor, because)
        with self._transactions.begin(actor) as tx:
            certificate = unless_stale(tx.certificates.get(id, seen_by=actor.visibility), version)
            return lift_hold(tx, certificate, ground=ground)

    def revoke(
        self,
        actor: Actor,
        id: UUID,
        *,
        reason: RevocationReason,
        invalidity_date: datetime | None = None,
        because: str = "",
        version: int | None = None,
    ) -> Certificate:
        """Revoke for good. Of a revoked certificate only the reason can change, to keyCompromise (invariant 14)."""
        actor.require(Permission.CERTIFICATE_REVOKE)
        if not actor.roles - {Role.SUBSCRIBER} and reason not in SUBSCRIBER_REASONS:
            raise NotPermitted(f"{reason.label} is for the authority to state")
        ground = checked_ground(actor, because)
        with self._transactions.begin(actor) as tx:
            certificate = unless_stale(tx.certificates.get(id, seen_by=actor.visibility), version)
            if (authority := _authority_of(tx, certificate)) is not None:
                actor.require(Permission.AUTHORITY_MANAGE)
                if authority.state is AuthorityState.ELSEWHERE:
                    raise WrongState(
                        f"the key of {authority.name} is elsewhere; whoever has it revokes its certificate"
                    )
            elif reason is R.CA_COMPROMISE:
                raise InvalidInput(
                    "cACompromise is said of the certificate of an authority alone",
                    fields={"reason": "not of a subscriber's certificate"},
                )
            if invalidity_date is not None:
                require_plausible(invalidity_date, now=tx.now)
            return revoke_for_good(tx, certificate, reason=reason, invalidity_date=invalidity_date, ground=ground)


def require_plausible(invalidity_date: datetime, *, now: datetime) -> None:
    """The date since when the key is suspect (RFC 5280 §5.3.2); it may lie before the certificate: keys are older."""
    if invalidity_date.tzinfo is None:
        raise InvalidInput("the invalidity date has no time zone", fields={"invalidity_date": "a time with its zone"})
    if invalidity_date > now:
        raise InvalidInput("the invalidity date lies in the future", fields={"invalidity_date": "not after now"})
    if invalidity_date < EARLIEST_INVALIDITY:
        raise InvalidInput("no key of ours is that old", fields={"invalidity_date": "1950 or later"})


def put_on_hold(
    tx: Transaction, certificate: Certificate, *, by: UUID, because: str = "", ground: str = ""
) -> Certificate:
    """Hold in this transaction. Staff take over a hold of the owner's, who then cannot lift it any more.

    ``because`` is what the program knows of it, ``ground`` what people said, here and below."""
    held = tx.certificates.replace(certificate.hold(at=tx.now, by=by))
    _record(tx, held, "held", ground, held_by=str(by), because=because)
    return held


def lift_hold(tx: Transaction, certificate: Certificate, *, ground: str = "") -> Certificate:
    """Unhold in this transaction."""
    lifted = tx.certificates.replace(certificate.unhold())
    _record(tx, lifted, "unheld", ground)
    return lifted


def revoke_for_good(
    tx: Transaction,
    certificate: Certificate,
    *,
    reason: RevocationReason,
    invalidity_date: datetime | None = None,
    because: str = "",
    ground: str = "",
) -> Certificate:
    """Revoke in this transaction. A compromised key is never certified again, and its other certificates go with it;
    an authority whose certificate it is signs none any more."""
    revoked = tx.certificates.replace(certificate.revoke(at=tx.now, reason=reason, invalidity_date=invalidity_date))
    since = invalidity_date.isoformat() if invalidity_date else None
    _record(tx, revoked, "revoked", ground, reason=reason.label, invalidity_date=since, because=because)
    if (authority := _authority_of(tx, certificate)) is not None:
        _revoke_authority(tx, authority)
    if reason is RevocationReason.KEY_COMPROMISE and tx.certificates.block_key(
        certificate.spki_sha256, "keyCompromise", tx.now
    ):
        for other in tx.certificates.with_key(certificate.spki_sha256):
            if is_active(other):
                revoke_for_good(tx, other, reason=reason, invalidity_date=invalidity_date, because="same key")
    return revoked


def _authority_of(tx: Transaction, certificate: Certificate) -> Authority | None:
    """The authority whose own certificate this is."""
    if certificate.application is not None:
        return None
    return next((one for one in tx.authorities.all() if one.certificate_id == certificate.id), None)


def _revoke_authority(tx: Transaction, authority: Authority) -> None:
    if authority.state is AuthorityState.REVOKED:
        return
    tx.authorities.replace(replace(authority, state=AuthorityState.REVOKED))
    tx.audit.record("authority.revoked", "authority", authority.id, name=authority.name)
    if authority.kind is AuthorityKind.OCSP_RESPONDER:
        tx.jobs.enqueue(JobKind.RESPONDERS, {}, dedupe_key=f"responders:{authority.id}")


def _record(tx: Transaction, certificate: Certificate, what: str, ground: str, **details: object) -> None:
    kept = keep_ground(tx, certificate, what, ground)
    tx.audit.record(
        f"certificate.{what}", "certificate", certificate.id, serial=certificate.serial.hex, **kept, **details
    )
    refresh_crl(tx, certificate)
    if certificate.owner != SYSTEM_ACTOR.id:
        notify(tx, certificate.owner, f"certificate-{what}", certificate=certificate)
    emit(tx, f"certificate.{what}", certificate=certificate.id)


def is_active(certificate: Certificate) -> bool:
    """Whether there is something to hold or revoke."""
    return certificate.state in (CertificateState.ISSUED, CertificateState.HELD)
