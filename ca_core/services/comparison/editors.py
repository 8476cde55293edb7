"""Who entered or changed what: they may not approve it, so their rows are as good as the record of what they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import UUID

from ca_core.domain.application import Application, Editor
from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.document import Document
from ca_core.services.comparison.by_object import batches, in_words
from ca_core.services.ports import Transaction

EDITS = frozenset(
    {
        "application.created",
        "application.changed",
        "application.submitted",
        "replacement.started",
        "request.received",
    }
)


class Editors:
    """Both ways for each application."""

    table: ClassVar[str] = "application_editors"

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        """They are asked for by application."""

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        for batch in batches(tx, Application):
            yield from _of(tx, batch)


def _of(tx: Transaction, batch: Sequence[Application]) -> Iterator[Fault]:
    ids = [row.id for row in batch]
    listed, recorded = defaultdict(set), defaultdict(set)
    for editor in tx.all_rows.among(Editor, "application", ids):
        listed[editor.application].add(editor.account)
    for record in tx.audit.about([str(id) for id in ids], EDITS):
        recorded[UUID(record.object_id)].add(record.actor)
    for document in tx.all_rows.among(Document, "application", ids):
        recorded[document.application].add(document.uploaded_by)
    for row in batch:
        if listed[row.id] != recorded[row.id]:
            detail = f"editors are {in_words(listed[row.id])}, by the record {in_words(recorded[row.id])}"
            yield Fault(table="application_editors", object=row.number, detail=detail)
