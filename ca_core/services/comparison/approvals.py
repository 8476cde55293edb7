"""Approvals: by whom, of what, in which round; and what the digest stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from ca_core.domain.application import Approval
from ca_core.domain.audit import AuditRecord
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.ports import Transaction


class Approvals(ByObject[Approval]):
    table = "approvals"
    kind = Approval
    made_by = frozenset({"application.approved"})

    def made(self, record: AuditRecord) -> str:
        return str(record.details.get("approval"))

    def about(self, row: Approval) -> str:
        return str(row.application)

    def concerns(self, record: AuditRecord, row: Approval) -> bool:
        return record.details.get("approval") == str(row.id)

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        (record,) = records[-1:]
        said = {
            "application": record.object_id,
            "round": record.details.get("round"),
            "approver": str(record.actor),
            "digest": record.details.get("digest"),
            "at": record.at,
        }
        return {name: (record.sequence, value) for name, value in said.items()}

    def stated(self, row: Approval) -> Mapping[str, object]:
        return {
            "application": str(row.application),
            "round": row.round,
            "approver": str(row.approver),
            "digest": row.digest.hex(),
            "at": row.at,
        }

    def contradictions(self, tx: Transaction, row: Approval) -> Iterator[str]:
        kept = tx.applications.approved_content(row.digest)
        if kept is None:
            yield "what was approved is not kept"
        elif hashlib.sha256(kept).digest() != row.digest:
            yield "what is kept as approved is something else"
