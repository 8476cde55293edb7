"""Events: what happened, told to plugins after the commit."""

from __future__ import annotations

from ca_core.domain.work import JobKind
from ca_core.services.ports import Transaction


def emit(tx: Transaction, event: str, **ids: object) -> None:
    """Queue the event (``certificate.issued``) in the transaction that makes it true. ``ids`` become strings."""
    tx.jobs.enqueue(JobKind.EVENT, {"event": event, **{name: str(value) for name, value in ids.items()}})
