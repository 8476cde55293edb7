"""Grounds: what was said of a hold, a release, a revocation. On record is the digest of the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.audit import AuditRecord, said
from ca_core.domain.certificate import Ground
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction


class Grounds(ByObject[Ground]):
    table = "certificate_grounds"
    kind = Ground
    made_by = frozenset({"certificate.held", "certificate.unheld", "certificate.revoked"})

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.details.get("ground") is not None:
            super().feed(tx, record)

    def made(self, record: AuditRecord) -> str:
        return str(record.details["ground"])

    def about(self, row: Ground) -> str:
        return str(row.certificate)

    def concerns(self, record: AuditRecord, row: Ground) -> bool:
        return record.details.get("ground") == str(row.id)

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        first = records[0]
        says = {
            "certificate": first.object_id,
            "action": first.action.partition(".")[2],
            "words": first.details.get("words"),
            "by": first.actor_name,
            "at": first.at,
        }
        return {name: (first.sequence, value) for name, value in says.items()}

    def stated(self, row: Ground) -> Mapping[str, object]:
        return {
            "certificate": str(row.certificate),
            "action": row.action,
            "words": said(row.words),
            "by": row.by,
            "at": row.at,
        }
