"""Intents whose signer died: the certificate may exist, so its serial is revoked and never used again (invariant 3)."""

from __future__ import annotations

from datetime import timedelta

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import Certificate
from ca_core.services.crl_refresh import refresh_crl
from ca_core.services.ports import Transaction, Transactions

BATCH = 500
"""Intents that one round settles."""


class Reconciliation:
    """Run by the worker at its start and every minute."""

    def __init__(self, transactions: Transactions, *, abandon_after: timedelta) -> None:
        self._transactions = transactions
        self._abandon_after = abandon_after

    def tick(self) -> int:
        """Abandon what is older than any signature takes; returns how many."""
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            stale = tx.certificates.stale_intents(tx.now - self._abandon_after, limit=BATCH)
            for intent in stale:
                abandon(tx, intent)
            return len(stale)


def abandon(tx: Transaction, intent: Certificate) -> Certificate:
    """Give up one intent in this transaction. The application stays as it is and can be issued anew."""
    abandoned = tx.certificates.replace(intent.abandon(at=tx.now))
    tx.audit.record("certificate.abandoned", "certificate", intent.id, serial=intent.serial.hex)
    refresh_crl(tx, abandoned)
    return abandoned
