"""Published lists: every one that was issued is there, and what is handed out are the bytes that were signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import ClassVar

from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.authority import PublishedHead
from ca_core.services.ports import Transaction

List = tuple[str, int, int]
"""Authority, partition, number."""


class PublishedCrls:
    """Holds number, digest and kind of each list: they have no identifier that the record could be asked for."""

    table: ClassVar[str] = "published_crls"

    def __init__(self) -> None:
        self._issued: dict[List, tuple[int, str, bool]] = {}

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.action in ("crl.issued", "crl.delta-issued"):
            # A full list is on record under its authority, a delta under its list: authority and partition.
            authority, _, partition = record.object_id.partition("/")
            partition = partition or str(record.details.get("list")).partition("/")[2] or "0"
            number = int(str(record.details.get("number")))
            self._issued[authority, int(partition), number] = (
                record.sequence,
                str(record.details.get("sha256")),
                record.action == "crl.delta-issued",
            )

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        for row in tx.all_rows.each(PublishedHead):
            at = (str(row.authority), row.partition)
            sequence, sha256, delta = self._issued.pop((*at, row.number), (None, None, None))
            if sequence is None:
                yield _fault((*at, row.number), "there is no record of its making")
            elif sha256 != row.sha256.hex():
                yield _fault(
                    (*at, row.number), f"sha256 is {row.sha256.hex()}, by record {sequence} {sha256}", sequence
                )
            elif delta != (row.base is not None):
                kind = "a delta" if delta else "a full list"
                said = f"by record {sequence} it is {kind}, and does not stand there as one"
                yield _fault((*at, row.number), said, sequence)
        for missing, (sequence, *_) in self._issued.items():
            yield _fault(missing, f"its row is gone, by record {sequence} there is one", sequence)
        for authority in tx.authorities.issuers():
            for partition in range(authority.partitions + 1):
                for delta in (False, True):
                    current = tx.authorities.current_crl(authority.id, partition, delta=delta)
                    if current is None:
                        continue
                    if hashlib.sha256(tx.authorities.crl_bytes(current)).digest() != current.sha256:
                        detail = "its bytes are not those that were signed"
                        yield _fault((str(authority.id), partition, current.number), detail)


def _fault(of: List, detail: str, record: int | None = None) -> Fault:
    authority, partition, number = of
    where = f"{authority}/{partition}" if partition else authority
    return Fault(table="published_crls", object=f"{where} number {number}", detail=detail, record=record)
