"""What was decided on: rows of a decided application still add up to the digest that was approved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import UUID

from ca_core.domain.application import Application, Approval, CheckResult, snapshot_digest
from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.document import Document
from ca_core.services.comparison.by_object import batches
from ca_core.services.ports import Transaction


class Decided:
    """Recomputes it for every application whose present round has all its approvals."""

    table: ClassVar[str] = "applications"

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        """It asks rows alone: :class:`~ca_core.services.comparison.approvals.Approvals` holds digests to the record."""

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        for batch in batches(tx, Application):
            yield from _of(tx, batch)


def _of(tx: Transaction, batch: Sequence[Application]) -> Iterator[Fault]:
    ids = [row.id for row in batch]
    approvals, documents, checks = defaultdict(list), defaultdict(list), defaultdict(list)
    for approval in tx.all_rows.among(Approval, "application", ids):
        approvals[approval.application, approval.round].append(approval)
    decided = [row for row in batch if _complete(row, approvals[row.id, row.round])]
    chosen: list[UUID] = [row.id for row in decided]
    for document in tx.all_rows.among(Document, "application", chosen):
        documents[document.application].append(document)
    for check in tx.all_rows.among(CheckResult, "application", chosen):
        checks[check.application, check.round].append(check)
    for row in decided:
        approved = approvals[row.id, row.round][-1].digest
        digest = snapshot_digest(row, documents[row.id], checks[row.id, row.round])
        if digest != approved:
            detail = f"its data, documents and checks have the digest {digest.hex()}; approved was {approved.hex()}"
            yield Fault(table="applications", object=row.number, detail=detail)


def _complete(row: Application, given: Sequence[Approval]) -> bool:
    return bool(given) and sum(one.digest == given[-1].digest for one in given) >= row.approvals_required
