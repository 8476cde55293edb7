"""Certification requests: which key an approved application gets its certificate for."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import NotPermitted, SelfApproval, WeakKey
from ca_core.services.gathering import Gathering
from ca_core.services.notices import notify
from ca_core.services.ports import Profiles, Transaction, Transactions
from ca_core.services.review_round import refuse_while_signing
from ca_core.services.row import unless_stale
from ca_core.services.subject_key import refuse_key_of_another, require_allowed
from ca_core.services.together import Case, still_open, together
from ca_core.x509.key_policy import check_public_key
from ca_core.x509.request import CertificationRequest


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request as somebody sends it."""

    actor: Actor
    application: UUID
    request: bytes
    """PEM or DER."""
    version: int
    """Of the application's row as the sender saw it."""


class _RequestCase(Case[Application]):
    parsed: CertificationRequest
    spki_sha256: bytes
    received: Application

    def __init__(self, sent: Sent) -> None:
        self.sent = sent


class RequestDesk:
    """``known_weak`` holds fingerprints as :func:`~ca_core.x509.key_policy.read_known_weak` returns them."""

    def __init__(self, transactions: Transactions, profiles: Profiles, *, known_weak: Container[bytes]) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._known_weak = known_weak
        self._gathering = Gathering(self.receive_all)

    def receive(self, actor: Actor, id: UUID, request: bytes, *, version: int) -> Application:
        """Take a PKCS #10 request (PEM or DER): possession proven; key strong, free, not blocked (invariant 5).

        What the request asks for beside the key counts for nothing: the certificate says what was approved. Who sends
        it chooses the key, so an approver may not (SelfApproval, invariant 12)."""
        outcome = self._gathering.put(Sent(actor=actor, application=id, request=request, version=version))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def receive_all(self, sent: Sequence[Sent]) -> Sequence[Application | Exception]:
        """Take many, in one transaction: in their order the application, or the error, that :meth:`receive` gives."""
        cases = [_RequestCase(one) for one in sent]
        for case in cases:
            with case.step():
                case.sent.actor.require(Permission.CERTIFICATE_REQUEST)
                case.parsed = CertificationRequest.parse(case.sent.request)
                case.parsed.prove_possession()
                case.spki_sha256 = hashlib.sha256(case.parsed.public_key_info).digest()
        together(self._transactions.read, still_open(cases), self._check)
        together(self._transactions.begin, still_open(cases), self._take)
        for case in still_open(cases):
            case.outcome = case.received
        return [case.outcome for case in cases if case.outcome is not None]

    def _check(self, tx: Transaction, cases: Sequence[_RequestCase]) -> None:
        for case in cases:
            with case.step():
                seen_by = case.sent.actor.visibility
                application = tx.applications.get(case.sent.application, seen_by=seen_by)
                blocked = tx.certificates.is_blocked
                check_public_key(case.parsed.public_key_info, blocklist=blocked, known_weak=self._known_weak)
                owners = tx.certificates.key_owners((case.spki_sha256,))
                refuse_key_of_another(owners, case.spki_sha256, owner=application.owner)
                if application.replaces is not None:
                    old = tx.certificates.get(application.replaces, seen_by=seen_by)
                    if old.spki_sha256 == case.spki_sha256:
                        raise WeakKey("a replacement needs a new key; make one")
                require_allowed(self._profiles.pinned(application), case.parsed.key_algorithm)

    def _take(self, tx: Transaction, cases: Sequence[_RequestCase]) -> None:
        for case in cases:
            with case.step(), tx.on_behalf_of(case.sent.actor):
                case.received = self._taken(tx, case)

    def _taken(self, tx: Transaction, case: _RequestCase) -> Application:
        sent, actor, key = case.sent, case.sent.actor, case.spki_sha256.hex()
        application = unless_stale(tx.applications.get(sent.application, seen_by=actor.visibility), sent.version)
        refuse_while_signing(tx, application)
        if any(one.approver == actor.id for one in tx.applications.approvals(application.id, application.round)):
            raise SelfApproval("you approved this application; somebody else has to send its request")
        if actor.id != application.owner == application.request_sent_by:
            raise NotPermitted("the applicant sent a request already; nobody else replaces it")
        received = application.step(
            ApplicationState.REQUEST_RECEIVED, at=tx.now, request_der=case.parsed.der, request_sent_by=actor.id
        )
        received = tx.applications.replace(received)
        tx.applications.add_editor(application.id, actor.id)
        if actor.id != application.owner:
            notify(tx, application.owner, "request-received", application=received, key=key)
        tx.audit.record("request.received", "application", application.id, request=case.parsed.sha256.hex(), key=key)
        return received
