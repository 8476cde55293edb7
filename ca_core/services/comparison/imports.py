"""Imports: what was taken over, and with which status; the digest on record is computed anew from the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ca_core.domain.audit import AuditRecord
from ca_core.domain.importing import Import, rows_digest
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction


class Imports(ByObject[Import]):
    table = "imports"
    kind = Import
    made_by = frozenset({"certificates.imported"})

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        (record,) = records[-1:]
        told = {name: record.details.get(name) for name in ("issuer", "owner", "count", "digest")}
        said = {**told, "at": record.at, "taken_by": str(record.actor)}
        return {name: (record.sequence, value) for name, value in said.items()}

    def stated(self, row: Import) -> Mapping[str, object]:
        return {
            "issuer": str(row.issuer),
            "owner": str(row.owner),
            "count": row.count,
            "digest": None if row.digest is None else row.digest.hex(),
            "at": row.at,
            "taken_by": str(row.taken_by),
        }

    def contradictions(self, tx: Transaction, row: Import) -> Iterator[str]:
        if rows_digest(tx.imports.rows(row.id)) != row.digest:
            yield "its certificates are not those that were taken in: some were changed, removed or added"
