"""Notices: what was told to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ca_core.domain.audit import AuditRecord
from ca_core.domain.work import Notice
from ca_core.services.comparison.by_object import ByObject, Said
from ca_core.services.notices import context_digest


class Notices(ByObject[Notice]):
    table = "notices"
    kind = Notice
    made_by = frozenset({"notice.queued"})
    actions = frozenset({"notice.sent"})

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        said: dict[str, Said] = {}
        for record in records:
            if record.action == "notice.queued":
                told = ("account", "notice", "application", "context")
                said |= {name: (record.sequence, record.details.get(name)) for name in told}
                said |= {"state": (record.sequence, "queued"), "sent_at": (record.sequence, None)}
            else:
                said |= {"state": (record.sequence, "sent"), "sent_at": (record.sequence, record.at)}
        return said

    def stated(self, row: Notice) -> Mapping[str, object]:
        return {
            "account": str(row.account),
            "notice": row.kind,
            "application": None if row.application is None else str(row.application),
            "context": context_digest(row.context),
            "state": row.state.value,
            "sent_at": row.sent_at,
        }
