"""Why a certificate is replaced, and what that says about the old one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ca_core.domain.access import EVERYTHING
from ca_core.domain.application import Application
from ca_core.domain.certificate import RevocationReason
from ca_core.services.ports import Transaction
from ca_core.services.revocation import is_active, revoke_for_good


class Circumstance(StrEnum):
    """What happened."""

    LOST = "lost"
    """The token is gone: held at once, since a finder lacks the PIN but has all the time."""
    BROKEN = "broken"
    """The token does not work any more; nobody else has the key."""
    COMPROMISED = "compromised"
    """Somebody else may have the key: revoked at once."""
    DATA_CHANGED = "data-changed"
    """Name, position or number are others now."""


REVOCATION_REASON: Mapping[Circumstance, RevocationReason] = {
    Circumstance.LOST: RevocationReason.SUPERSEDED,
    Circumstance.BROKEN: RevocationReason.SUPERSEDED,
    Circumstance.COMPROMISED: RevocationReason.KEY_COMPROMISE,
    Circumstance.DATA_CHANGED: RevocationReason.AFFILIATION_CHANGED,
}
"""The CRLReason of the old certificate (RFC 5280 §5.3.1)."""


def revoke_replaced(tx: Transaction, application: Application) -> None:
    """The new certificate is issued: the old one is revoked with its true reason, if it is not yet."""
    assert application.replaces is not None
    old = tx.certificates.get(application.replaces, seen_by=EVERYTHING)
    if is_active(old):
        circumstance = Circumstance(application.circumstance or Circumstance.BROKEN)
        revoke_for_good(tx, old, reason=REVOCATION_REASON[circumstance], because=f"replaced: {circumstance.value}")
