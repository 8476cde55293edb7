"""Documents and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.audit import AuditRecord, said as digest_of
from ca_core.domain.document import Document
from ca_core.services.comparison.by_object import ByObject, Said

VERDICTS = frozenset({"document.accepted", "document.refused"})


class Documents(ByObject[Document]):
    table = "documents"
    kind = Document
    made_by = frozenset({"document.attached"})
    actions = VERDICTS | {"document.pending", "document.superseded", "document.destroyed"}

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            said |= {name: (record.sequence, value) for name, value in _after(record).items()}
        return said

    def stated(self, row: Document) -> Mapping[str, object]:
        return {
            "application": str(row.application),
            "kind": row.kind,
            "sha256": row.sha256.hex(),
            "uploaded_by": str(row.uploaded_by),
            "uploaded_at": row.uploaded_at,
            "state": row.state.value,
            "reason": row.reason,
            "note": digest_of(row.note),
            "decided_by": None if row.decided_by is None else str(row.decided_by),
            "decided_at": row.decided_at,
            "destroyed": row.wrapped_key is None,
        }


def _after(record: AuditRecord) -> Mapping[str, object]:
    details = record.details
    match record.action:
        case "document.attached":
            return {
                **{name: details.get(name) for name in ("application", "kind", "sha256")},
                "uploaded_by": str(record.actor),
                "uploaded_at": record.at,
                "state": "pending",
                "reason": None,
                "note": digest_of(""),
                "decided_by": None,
                "decided_at": None,
                "destroyed": False,
            }
        case "document.pending":
            return {"state": "pending", "decided_by": None, "decided_at": None}
        case "document.superseded":
            return {"state": "superseded"}
        case "document.destroyed":
            return {"destroyed": True}
        case _:
            return {
                "state": record.action.removeprefix("document."),
                **{name: details.get(name) for name in ("sha256", "reason", "note")},
                "decided_by": str(record.actor),
                "decided_at": record.at,
            }
