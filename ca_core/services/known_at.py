"""The thisUpdate of what was read about revocations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

AHEAD = timedelta(minutes=1)
"""A transaction that waited for its turn sees rows younger than its own moment; what lies further ahead than this was
written before a clock was set back."""


def known_at(now: datetime, revocations: Iterable[datetime]) -> datetime:
    """Whole seconds; every revocation that was committed before is among the rows that a transaction saw.

    ``now`` is the transaction's moment, taken before it read anything; ``revocations`` are the revocation times that
    it read. A status may not be older than a revocation that it tells of (RFC 5280 §5.1.2.6, RFC 6960 §4.2.2.1), so
    the youngest of them counts where it is later than ``now``: it was committed before the rows were read, so the
    promise holds for it too."""
    latest = max(revocations, default=now)
    moment = latest if now < latest <= now + AHEAD else now
    return moment.replace(microsecond=0)
