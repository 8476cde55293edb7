"""One application from its first record to its last: what an auditor follows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Approval
from ca_core.domain.audit import AuditRecord
from ca_core.domain.certificate import Certificate
from ca_core.services.ports import Transactions
from ca_core.services.row import application_by


class Journeys:
    """Reads only."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def records(self, actor: Actor, application: UUID | str) -> Sequence[AuditRecord]:
        """All about the application (by id or number), its documents, its certificates and what was told of it, in
        their order."""
        actor.require(Permission.AUDIT_VIEW)
        with self._transactions.read(actor) as tx:
            id = application_by(tx, actor, application).id
            of = [
                id,
                *(one.id for one in tx.documents.of(id)),
                *(one.id for one in tx.all_rows.among(Certificate, "application", [id])),
                *(one.id for one in tx.jobs.notices_about(id)),
            ]
            return tx.audit.about([str(one) for one in of])

    def approvals(self, actor: Actor, application: UUID | str) -> Sequence[tuple[Approval, bytes | None]]:
        """Every approval of every round with what was approved, canonical JSON as it was shown; None where an earlier
        version of the program did not keep it."""
        if not actor.may(Permission.APPLICATION_REVIEW):
            actor.require(Permission.AUDIT_VIEW)
        with self._transactions.read(actor) as tx:
            id = application_by(tx, actor, application).id
            given = tx.applications.approvals(id, None)
            return [(one, tx.applications.approved_content(one.digest)) for one in given]
