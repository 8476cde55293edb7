"""Grounds: what was said of a hold, a release, a revocation. On record is the digest of the words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ca_core.domain.audit import AuditRecord, said
from ca_core.domain.certificate import Ground
from ca_core.services.comparison.by_object import ByObject, Said, identifiers
from ca_core.services.ports import Transaction


class Grounds(ByObject[Ground]):
    table = "certificate_grounds"
    kind = Ground
    made_by = frozenset({"certificate.held", "certificate.unheld", "certificate.revoked"})

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.details.get("ground") is not None:
            super().feed(tx, record)

    def made(self, record: AuditRecord) -> str:
        return f"{record.object_id} {record.action.partition('.')[2]} at {record.at.isoformat()}"

    def key(self, row: Ground) -> str:
        return f"{row.certificate} {row.action} at {row.at.isoformat()}"

    def about(self, row: Ground) -> str:
        return str(row.certificate)

    def concerns(self, record: AuditRecord, row: Ground) -> bool:
        return record.details.get("ground") is not None and self.made(record) == self.key(row)

    def known(self, tx: Transaction, keys: Collection[str]) -> Collection[str]:
        certificates = {key.partition(" ")[0] for key in keys}
        return {self.key(row) for row in tx.all_rows.among(Ground, "certificate", identifiers(certificates))}

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        (record,) = records
        return {"words": (record.sequence, record.details["ground"]), "by": (record.sequence, record.actor_name)}

    def stated(self, row: Ground) -> Mapping[str, object]:
        return {"words": said(row.words), "by": row.by}
