"""What belongs to an application, put together for those who look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ca_core.domain.access import Actor, Role
from ca_core.domain.application import Application, Approval, CheckResult, snapshot_digest
from ca_core.domain.document import Document
from ca_core.domain.profile import Profile
from ca_core.services.evidence import Requirement, requirements
from ca_core.services.ports import Transaction


@dataclass(frozen=True, kw_only=True)
class ApplicationView:
    """An application with all that belongs to it."""

    application: Application
    documents: Sequence[Document]
    requirements: Sequence[Requirement]
    checks: Sequence[CheckResult]
    approvals: int
    """Given in the present round."""
    approved: Sequence[Approval]
    """Who gave them, to what; for staff."""
    digest: bytes
    """What an approval of it as it stands would be bound to."""


def view_of(tx: Transaction, actor: Actor, application: Application, profile: Profile) -> ApplicationView:
    """Of an application of that (pinned) profile which the actor may see."""
    documents = tx.documents.of(application.id)
    checks = tx.applications.checks(application.id, application.round)
    approvals = tx.applications.approvals(application.id, application.round)
    return ApplicationView(
        application=application,
        documents=documents,
        requirements=requirements(profile, documents, checks),
        checks=checks,
        approvals=len(approvals),
        digest=snapshot_digest(application, [one for one in documents if one.counts], checks),
        approved=approvals if actor.roles - {Role.SUBSCRIBER} else (),
    )
