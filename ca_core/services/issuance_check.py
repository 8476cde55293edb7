"""What is asked again in the transaction that records intents, of all of them at once: rows, approvals, keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ca_core.domain.access import Permission
from ca_core.domain.application import Application, Approval
from ca_core.domain.errors import ApprovalNeeded, TryAgain
from ca_core.services.ports import Transaction
from ca_core.services.reconciliation import abandon
from ca_core.services.subject_key import refuse_key_of_another
from ca_core.services.ticket import Ticket
from ca_core.x509.key_policy import check_not_blocked


class IssuanceCheck:
    """Whatever may have changed since the tickets were prepared; the database checks the approvals too (12)."""

    def __init__(
        self, tx: Transaction, tickets: Sequence[tuple[Application, Ticket]], *, abandon_after: timedelta
    ) -> None:
        """An open intent older than ``abandon_after`` has no signer any more."""
        self._tx = tx
        self._abandon_after = abandon_after
        applications = {application.id: application.version for application, _ in tickets}
        keys = {ticket.spki_sha256 for _, ticket in tickets}
        self._unchanged = tx.applications.unchanged(applications)
        self._intents = {intent.application: intent for intent in tx.certificates.intents_of(applications)}
        self._approvals = tx.applications.approvals_among(applications)
        approvers = tx.accounts.among({approval.approver for approval in self._approvals})
        self._may_approve = {
            one.id for one in approvers if one.active and one.actor().may(Permission.APPLICATION_APPROVE)
        }
        self._blocked = tx.certificates.blocked(keys)
        self._owners = set(tx.certificates.key_owners(keys))

    def approvals_of(self, application: Application, ticket: Ticket) -> Sequence[Approval]:
        """Those on which the certificate is issued. TryAgain, ApprovalNeeded, WeakKey when it is not."""
        if application.id not in self._unchanged:
            raise TryAgain(f"application {application.number} was changed just now; look at it again")
        self._settle_earlier(application)
        approvals = [
            one for one in self._approvals if (one.application, one.round) == (application.id, application.round)
        ]
        if len({one.approver for one in approvals} & self._may_approve) < ticket.profile.approvals:
            raise ApprovalNeeded(
                f"application {application.number} lacks an approval of somebody who may still approve; "
                "have it reviewed again"
            )
        check_not_blocked(ticket.spki_sha256, self._blocked.__contains__)
        refuse_key_of_another(self._owners, ticket.spki_sha256, owner=application.owner)
        self._owners.add((ticket.spki_sha256, application.owner))
        return approvals

    def _settle_earlier(self, application: Application) -> None:
        """An open intent of somebody who signs right now, or who died."""
        earlier = self._intents.get(application.id)
        if earlier is None:
            return
        if self._tx.now - earlier.created_at < self._abandon_after:
            raise TryAgain(
                f"the certificate of application {application.number} is being signed; ask again",
                retry_after=max(1, int(self._abandon_after.total_seconds())),
            )
        abandon(self._tx, earlier)
