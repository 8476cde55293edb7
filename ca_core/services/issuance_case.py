"""One certificate on its way through a batch, and the two writing steps that a batch takes as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ca_core.domain.application import ApplicationState
from ca_core.domain.certificate import Certificate
from ca_core.services.events import emit
from ca_core.services.issuance_check import IssuanceCheck
from ca_core.services.issuance_order import Order, Wanted
from ca_core.services.notices import notify
from ca_core.services.ports import Signer, Transaction
from ca_core.services.replacement_reason import revoke_replaced
from ca_core.services.ticket import SIGNED, Ticket, intent_for, issued_for
from ca_core.services.together import Case, still_open

STEPPED = ("state", "state_since", "certificate", "claimed_by", "claim_expires")
"""The fields of an application that the step to issued changes."""


class IssuanceCase(Case[Certificate]):
    """Filled in step by step."""

    order: Order
    ticket: Ticket
    signer: Signer
    intent: Certificate
    signed: bytes
    """DER."""
    issued: Certificate

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted


def record_intents(tx: Transaction, cases: Sequence[IssuanceCase], *, abandon_after: timedelta) -> None:
    """Durable before any key is used (invariants 1 and 3)."""
    tickets = [(case.order.application, case.ticket) for case in cases]
    check = IssuanceCheck(tx, tickets, abandon_after=abandon_after)
    for case in cases:
        with case.step(), tx.on_behalf_of(case.wanted.actor):
            application = case.order.application
            approvals = check.approvals_of(application, case.ticket)
            case.intent = intent_for(
                tx,
                case.ticket,
                application=application,
                approval_digest=approvals[-1].digest,
                owner=str(application.owner),
                round=application.round,
                approved=approvals[-1].digest.hex(),
                approvals=[str(one.id) for one in approvals],
                approvers=[str(one.approver) for one in approvals],
            )
    tx.certificates.add_all([case.intent for case in still_open(cases)])


def store_issued(tx: Transaction, cases: Sequence[IssuanceCase]) -> None:
    """The certificates and all that follows from them."""
    seen = {case.order.application.id: case.order.application for case in cases}
    unchanged = tx.applications.unchanged({id: one.version for id, one in seen.items()})
    seen |= {one.id: one for one in tx.applications.among(seen.keys() - unchanged)}
    stepped = []
    for case in cases:
        application = seen[case.order.application.id]
        with tx.on_behalf_of(case.wanted.actor):
            case.issued = issued_for(tx, case.intent, case.signed)
            stepped.append(application.step(ApplicationState.ISSUED, at=tx.now, certificate=case.issued.id))
            if application.replaces is not None:
                revoke_replaced(tx, application)
            notify(tx, application.owner, "certificate-issued", application=application)
            emit(tx, "certificate.issued", certificate=case.issued.id, application=application.id)
    stored = tx.certificates.replace_all([case.issued for case in cases], columns=SIGNED)
    tx.applications.replace_all(stepped, columns=STEPPED)
    for case, certificate in zip(cases, stored, strict=True):
        case.issued = certificate
