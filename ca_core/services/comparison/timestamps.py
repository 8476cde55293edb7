"""Time-stamp tokens: those of each record are there, in their places, and say what they said; and no others are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.timestamp import timestamps_digest
from ca_core.services.ports import Transaction


class Timestamps:
    """Holds how far the record has come: tokens are recorded in their order, some by one record."""

    table: ClassVar[str] = "timestamps"

    def __init__(self) -> None:
        self._last = 0
        self._faults: list[Fault] = []

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.action != "timestamps.issued":
            return
        first, last = int(record.object_id), int(str(record.details.get("last")))
        if first != self._last + 1:
            self._fault(f"{self._last + 1} to {first - 1}", "there is no record of their making", record.sequence)
        if timestamps_digest(tx.timestamps.between(first, last)).hex() != record.details.get("digest"):
            detail = "they are not what was handed out: some were changed, removed or added"
            self._fault(f"{first} to {last}", detail, record.sequence)
        self._last = last

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        yield from self._faults
        if (count := tx.timestamps.count()) != self._last:
            yield Fault(table=self.table, object="all", detail=f"there are {count} tokens, by the record {self._last}")

    def _fault(self, tokens: str, detail: str, record: int) -> None:
        self._faults.append(Fault(table=self.table, object=tokens, detail=detail, record=record))
