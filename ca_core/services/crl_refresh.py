"""Queues the rebuilding of a revocation list in the transaction that changed what it has to say."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from ca_core.domain.certificate import Certificate
from ca_core.domain.work import JobKind
from ca_core.services.ports import Transaction

GATHER = timedelta(seconds=30)
"""Changes of one list within this time share one new list. OCSP shows each at once."""


def refresh_crl(tx: Transaction, certificate: Certificate) -> None:
    """Queue a new list for the certificate's issuer and partition."""
    refresh_list(tx, certificate.issuer, certificate.partition)


def refresh_list(tx: Transaction, authority: UUID, partition: int, *, at_once: str = "") -> None:
    """Queue a new list; with ``at_once``, which names the change, as soon as this transaction has committed.

    The list is built one more :data:`GATHER` after the slot has ended, so that every transaction of the slot has
    committed: whoever committed later would find its slot's job known and done, and stand in no list."""
    if at_once:
        tx.jobs.enqueue(
            JobKind.CRL,
            {"authority": str(authority), "partition": partition},
            dedupe_key=f"crl:{authority}:{partition}:{at_once}",
        )
        return
    slot = int(tx.now.timestamp() // GATHER.total_seconds()) + 1
    tx.jobs.enqueue(
        JobKind.CRL,
        {"authority": str(authority), "partition": partition},
        dedupe_key=f"crl:{authority}:{partition}:{slot}",
        run_at=tx.now.fromtimestamp((slot + 1) * GATHER.total_seconds(), tz=tx.now.tzinfo),
    )
