"""Certification requests: which key an approved application gets its certificate for."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import NotPermitted, SelfApproval, WeakKey
from ca_core.services.notices import notify
from ca_core.services.ports import Profiles, Transactions
from ca_core.services.review_round import refuse_while_signing
from ca_core.services.row import unless_stale
from ca_core.services.subject_key import refuse_key_of_another, require_allowed
from ca_core.x509.key_policy import check_public_key
from ca_core.x509.request import CertificationRequest


class RequestDesk:
    """``known_weak`` holds fingerprints as :func:`~ca_core.x509.key_policy.read_known_weak` returns them."""

    def __init__(self, transactions: Transactions, profiles: Profiles, *, known_weak: Container[bytes]) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._known_weak = known_weak

    def receive(self, actor: Actor, id: UUID, request: bytes, *, version: int) -> Application:
        """Take a PKCS #10 request (PEM or DER): possession proven; key strong, free, not blocked (invariant 5).

        What the request asks for beside the key counts for nothing: the certificate says what was approved. Who sends
        it chooses the key, so an approver may not (SelfApproval, invariant 12)."""
        actor.require(Permission.CERTIFICATE_REQUEST)
        parsed = CertificationRequest.parse(request)
        parsed.prove_possession()
        spki_sha256 = hashlib.sha256(parsed.public_key_info).digest()
        with self._transactions.read(actor) as tx:
            application = tx.applications.get(id, seen_by=actor.visibility)
            check_public_key(parsed.public_key_info, blocklist=tx.certificates.is_blocked, known_weak=self._known_weak)
            refuse_key_of_another(tx.certificates.key_owners((spki_sha256,)), spki_sha256, owner=application.owner)
            if application.replaces is not None:
                old = tx.certificates.get(application.replaces, seen_by=actor.visibility)
                if old.spki_sha256 == spki_sha256:
                    raise WeakKey("a replacement needs a new key; make one")
        require_allowed(self._profiles.pinned(application), parsed.key_algorithm)
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            refuse_while_signing(tx, application)
            if any(one.approver == actor.id for one in tx.applications.approvals(id, application.round)):
                raise SelfApproval("you approved this application; somebody else has to send its request")
            if actor.id != application.owner == application.request_sent_by:
                raise NotPermitted("the applicant sent a request already; nobody else replaces it")
            tx.applications.add_editor(id, actor.id)
            received = application.step(
                ApplicationState.REQUEST_RECEIVED, at=tx.now, request_der=parsed.der, request_sent_by=actor.id
            )
            received = tx.applications.replace(received)
            if actor.id != application.owner:
                notify(tx, application.owner, "request-received", application=received, key=spki_sha256.hex())
            tx.audit.record("request.received", "application", id, request=parsed.sha256.hex(), key=spki_sha256.hex())
            return received
