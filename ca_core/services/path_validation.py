"""Whether a certificate, ours or anybody's, is valid at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import MalformedDer
from ca_core.domain.path_validation import OwnState, OwnStatus, PathVerdict, Question, ValidationPolicy
from ca_core.services.certificates import issuer_of
from ca_core.services.ports import PathJudge, Transaction, Transactions
from ca_core.x509.certificate import SignedCertificate

_STATES = {
    CertificateState.ISSUED: OwnState.GOOD,
    CertificateState.HELD: OwnState.HELD,
    CertificateState.REVOKED: OwnState.REVOKED,
    # It may exist, and was given up (invariant 3).
    CertificateState.ABANDONED: OwnState.REVOKED,
}


class PathValidation:
    """Joins what we know of our own authorities and certificates with what the engine knows of rules."""

    def __init__(
        self, transactions: Transactions, judge: PathJudge, *, anchors: Sequence[bytes], policy: ValidationPolicy
    ) -> None:
        """``anchors`` (DER) are trusted beside our own roots. ``policy`` is for whoever has none of his own."""
        self._transactions = transactions
        self._judge = judge
        self._anchors = tuple(anchors)
        self.policy = policy

    def validate(self, actor: Actor, question: Question, *, anchors: Sequence[bytes] | None = None) -> PathVerdict:
        """The verdict, under our own roots and the configured anchors, or under ``anchors`` (DER or PEM) alone.

        Changes nothing. Our own store tells of our certificates as it stands after the chain was built, and
        anew each time: no transaction is open while others are asked."""
        actor.require(Permission.CERTIFICATE_VERIFY)
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            authorities = tx.authorities.issuers()
            now = tx.now
        roots = [one.certificate for one in authorities if one.parent is None]
        return self._judge.validate(
            question,
            anchors=[*roots, *self._anchors] if anchors is None else anchors,
            own=[one.certificate for one in authorities],
            statuses=self._statuses,
            now=now,
        )

    def _statuses(self, chain: Sequence[bytes]) -> Sequence[OwnStatus | None]:
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return [_status(tx, der) for der in chain]


def _status(tx: Transaction, der: bytes) -> OwnStatus | None:
    try:
        parsed = SignedCertificate.parse(der)
    except MalformedDer:
        return None  # what we would not read we did not issue
    issuer = issuer_of(tx, parsed)
    if issuer is None:
        return None
    row = tx.certificates.lookup(issuer.id, parsed.serial)
    if row is None or not _is_of(row, parsed):
        # An authority elsewhere issues what we have no record of.
        elsewhere = issuer.state is AuthorityState.ELSEWHERE
        return None if elsewhere else OwnStatus(state=OwnState.NEVER_ISSUED)
    return OwnStatus(
        state=_STATES[row.state],
        since=_since(row),
        reason=None if row.reason is None else row.reason.label,
    )


def _since(row: Certificate) -> datetime | None:
    """A key is not trusted from when it is suspect (RFC 5280 §5.3.2)."""
    moments = [one for one in (row.revoked_at, row.invalidity_date) if one is not None]
    return min(moments, default=None)


def _is_of(row: Certificate, parsed: SignedCertificate) -> bool:
    """Whether these bytes, rightly signed, are what the row is about. Of a given up intent the signature was never
    recorded, and may exist all the same (invariant 3)."""
    if row.der is None:
        return row.state is CertificateState.ABANDONED and row.tbs == parsed.tbs
    return row.der == parsed.der
