"""What registers said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.application import CheckResult
from ca_core.domain.audit import AuditRecord, said as digest_of
from ca_core.services.comparison.by_object import ByObject, Said


class CheckResults(ByObject[CheckResult]):
    table = "check_results"
    kind = CheckResult
    made_by = frozenset({"check.made"})

    def made(self, record: AuditRecord) -> str:
        return str(record.details.get("check"))

    def about(self, row: CheckResult) -> str:
        return str(row.application)

    def concerns(self, record: AuditRecord, row: CheckResult) -> bool:
        return record.details.get("check") == str(row.id)

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        (record,) = records[-1:]
        told = ("round", "name", "mode", "verdict", "detail")
        return {name: (record.sequence, record.details.get(name)) for name in told}

    def stated(self, row: CheckResult) -> Mapping[str, object]:
        return {
            "round": row.round,
            "name": row.name,
            "mode": str(row.mode),
            "verdict": str(row.verdict),
            "detail": digest_of(row.detail),
        }
