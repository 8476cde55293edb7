"""Who was shown which page of which document: no approval without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ca_core.domain.audit import AuditRecord
from ca_core.domain.document import PageView
from ca_core.services.comparison.by_object import ByObject, Said, identifiers
from ca_core.services.ports import Transaction


class PageViews(ByObject[PageView]):
    table = "page_views"
    kind = PageView
    made_by = frozenset({"document.viewed"})

    def made(self, record: AuditRecord) -> str:
        return f"{record.object_id} page {record.details.get('page')} by {record.actor}"

    def key(self, row: PageView) -> str:
        return f"{row.document} page {row.page} by {row.account}"

    def about(self, row: PageView) -> str:
        return str(row.document)

    def concerns(self, record: AuditRecord, row: PageView) -> bool:
        return self.made(record) == self.key(row)

    def known(self, tx: Transaction, keys: Collection[str]) -> Collection[str]:
        documents = {key.partition(" ")[0] for key in keys}
        return {self.key(row) for row in tx.all_rows.among(PageView, "document", identifiers(documents))}

    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        first = records[0]
        return {"sha256": (first.sequence, first.details.get("sha256")), "at": (first.sequence, first.at)}

    def stated(self, row: PageView) -> Mapping[str, object]:
        return {"sha256": row.sha256.hex(), "at": row.at}
