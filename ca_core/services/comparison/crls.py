"""Published lists: every one that was issued is there, and what is handed out are the bytes that were signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import ClassVar

from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.authority import PublishedDigest
from ca_core.services.ports import Transaction

List = tuple[str, int, int]
"""Authority, partition, number."""


class PublishedCrls:
    """Holds number and digest of each list: they have no identifier that the record could be asked for."""

    table: ClassVar[str] = "published_crls"

    def __init__(self) -> None:
        self._issued: dict[List, tuple[int, str]] = {}

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.action == "crl.issued":
            partition = str(record.details.get("list")).partition("/")[2] or "0"
            number = int(str(record.details.get("number")))
            self._issued[record.object_id, int(partition), number] = (
                record.sequence,
                str(record.details.get("sha256")),
            )

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        newest: dict[tuple[str, int], int] = {}
        for row in tx.all_rows.each(PublishedDigest):
            at = (str(row.authority), row.partition)
            newest[at] = max(newest.get(at, 0), row.number)
            sequence, sha256 = self._issued.pop((*at, row.number), (None, None))
            if sequence is None:
                yield _fault((*at, row.number), "there is no record of its making")
            elif sha256 != row.sha256.hex():
                yield _fault(
                    (*at, row.number), f"sha256 is {row.sha256.hex()}, by record {sequence} {sha256}", sequence
                )
        for missing, (sequence, _) in self._issued.items():
            yield _fault(missing, f"its row is gone, by record {sequence} there is one", sequence)
        for authority in tx.authorities.issuers():
            for (of, partition), number in newest.items():
                current = tx.authorities.current_crl(authority.id, partition) if of == str(authority.id) else None
                if current is not None and hashlib.sha256(current.der).digest() != current.sha256:
                    yield _fault((of, partition, number), "its bytes are not those that were signed")


def _fault(of: List, detail: str, record: int | None = None) -> Fault:
    authority, partition, number = of
    where = f"{authority}/{partition}" if partition else authority
    return Fault(table="published_crls", object=f"{where} number {number}", detail=detail, record=record)
