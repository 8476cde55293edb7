"""Rounds of review: each begins when what was looked at changes, and no approval of an earlier one counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ca_core.domain.application import BEFORE_DECISION, Application, ApplicationState, CheckResult
from ca_core.domain.audit import said
from ca_core.domain.document import DocumentState
from ca_core.domain.errors import TryAgain, WrongState
from ca_core.services.clock import DecisionClock
from ca_core.services.notices import notify
from ca_core.services.ports import Transaction

UNDER_REVIEW = frozenset({ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.APPROVED_FIRST})
"""Submitted, and what was submitted is looked at or will be."""


def reopened(application: Application, *, at: datetime) -> Application:
    """The application after its content changed: a first approval no longer counts. WrongState once decided."""
    if application.state not in BEFORE_DECISION:
        raise WrongState(f"application {application.number} is {application.state.value}; it can be changed no more")
    if application.state is ApplicationState.APPROVED_FIRST:
        return application.step(ApplicationState.SUBMITTED, at=at, round=application.round + 1)
    return application


def with_other_data(application: Application, *, at: datetime) -> Application:
    """As :func:`reopened`; what was submitted and is other data now is a round of its own."""
    changed = reopened(application, at=at)
    if application.state in UNDER_REVIEW and changed.round == application.round:
        changed = replace(changed, round=application.round + 1)
    return changed


def record_check(tx: Transaction, check: CheckResult) -> None:
    """Keep what a register said, and that it was asked."""
    tx.applications.add_check(check)
    tx.audit.record(
        "check.made",
        "application",
        check.application,
        check=str(check.id),
        round=check.round,
        name=check.name,
        mode=str(check.mode),
        verdict=str(check.verdict),
        detail=said(check.detail),
    )


def carry_checks(tx: Transaction, earlier: Application, later: Application) -> None:
    """Registers were asked about the same data: their answers count in the new round too."""
    if later.round != earlier.round:
        for check in tx.applications.checks(earlier.id, earlier.round):
            record_check(tx, replace(check, id=tx.new_id(), round=later.round))


def look_again(tx: Transaction, application: Application) -> None:
    """Documents were accepted for other data: somebody has to compare them anew."""
    for document in tx.documents.of(application.id):
        if document.state is DocumentState.ACCEPTED:
            tx.documents.replace(replace(document, state=DocumentState.PENDING, decided_by=None, decided_at=None))
            tx.audit.record("document.pending", "document", document.id, sha256=document.sha256.hex())


def withdraw(
    tx: Transaction, clock: DecisionClock, application: Application, *, by: UUID, **details: object
) -> Application:
    """End it before a certificate is issued; the owner is told unless it was him."""
    refuse_while_signing(tx, application)
    ended = tx.applications.replace(clock.stop(application.step(ApplicationState.WITHDRAWN, at=tx.now), at=tx.now))
    tx.audit.record("application.withdrawn", "application", ended.id, **details)
    if by != ended.owner:
        notify(tx, ended.owner, "application-withdrawn", application=ended)
    return ended


def refuse_while_signing(tx: Transaction, application: Application) -> None:
    """TryAgain while a key may be signing for it."""
    if tx.certificates.intents_of((application.id,)):
        raise TryAgain(f"the certificate of application {application.number} is being signed; look again in a moment")
