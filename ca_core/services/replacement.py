"""Token loss: reported in the cabinet, by code or through an operator; held at once; a new key, a new certificate."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.application import Application, ApplicationState, content_digest
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.document import DocumentState
from ca_core.domain.errors import NotFound, WrongState
from ca_core.services.clock import DecisionClock
from ca_core.services.documents import DocumentDesk
from ca_core.services.grounds import checked_ground
from ca_core.services.notices import notify
from ca_core.services.ports import Profiles, Transaction, Transactions
from ca_core.services.replacement_reason import Circumstance
from ca_core.services.report_code import report_code_digest
from ca_core.services.review_round import withdraw
from ca_core.services.revocation import is_active, lift_hold, put_on_hold, revoke_for_good


class Replacement:
    """Unlimited, free, each step on record."""

    def __init__(
        self, transactions: Transactions, profiles: Profiles, documents: DocumentDesk, clock: DecisionClock
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._documents = documents
        self._clock = clock

    def report(
        self, actor: Actor, certificate_id: UUID, *, circumstance: Circumstance, because: str = ""
    ) -> Application:
        """Protect the old certificate at once and start the application for a new one, with the documents on file
        that still count. Reporting twice returns the application that is open already. ``because`` is the ground of a
        hold or revocation that comes of it (see :func:`.grounds.checked_ground`).

        WrongState when the certificate was never issued or is revoked: then a new application is the way."""
        actor.require(Permission.CERTIFICATE_REPLACE)
        with self._transactions.begin(actor) as tx:
            certificate = tx.certificates.get(certificate_id, seen_by=actor.visibility)
            if certificate.import_id is not None:
                raise WrongState("it was imported, so nothing is known to begin with; apply for a new one in its place")
            if certificate.application is None:
                raise WrongState("the authority's own certificates are renewed by the authority")
            started = tx.applications.open_replacement_of(certificate_id)
            if started is None and not is_active(certificate):
                raise WrongState(
                    f"certificate {certificate.serial} is {certificate.state.value}; apply for a new one instead"
                )
            certificate = _protect(tx, actor, certificate, circumstance, because)
            if started is not None:
                if started.circumstance != circumstance.value and started.state is ApplicationState.DRAFT:
                    started = tx.applications.replace(replace(started, circumstance=circumstance.value))
                return started
            started = self._start(tx, actor, certificate, circumstance)
        self._carry_documents(actor, certificate, started)
        with self._transactions.read(actor) as tx:
            return tx.applications.get(started.id, seen_by=actor.visibility)

    def running(self, actor: Actor, certificate_id: UUID) -> Application | None:
        """The application for a certificate in place of this one, while it is open."""
        actor.require(Permission.APPLICATION_VIEW)
        with self._transactions.read(actor) as tx:
            tx.certificates.get(certificate_id, seen_by=actor.visibility)
            return tx.applications.open_replacement_of(certificate_id)

    def report_by_code(self, code: str) -> Certificate:
        """Hold the certificate whose report code this is, without a log-in. NotFound for a code that fits none."""
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            certificate = tx.certificates.by_report_code(report_code_digest(code))
            if certificate is None:
                raise NotFound("no certificate has this code; look at the paper that it was printed on")
            tx.audit.record("certificate.loss-reported", "certificate", certificate.id, by="code")
            if certificate.state is CertificateState.ISSUED:
                certificate = put_on_hold(tx, certificate, by=certificate.owner, because="report code")
            return certificate

    def found(self, actor: Actor, certificate_id: UUID, *, because: str = "") -> Certificate:
        """The token was found: lift the hold and withdraw the replacement. TryAgain while its certificate is signed.

        Subscribers lift only holds of their own; what staff put on hold, staff lift, and say why."""
        actor.require(Permission.CERTIFICATE_REPLACE)
        ground = checked_ground(actor, because)
        with self._transactions.begin(actor) as tx:
            certificate = tx.certificates.get(certificate_id, seen_by=actor.visibility)
            if certificate.owner != actor.id or certificate.held_by != certificate.owner:
                actor.require(Permission.CERTIFICATE_UNHOLD)
            started = tx.applications.open_replacement_of(certificate_id)
            if started is not None:
                withdraw(tx, self._clock, started, by=actor.id, because="token found")
            lifted = lift_hold(tx, certificate, ground=ground)
            tx.audit.record("certificate.found", "certificate", certificate_id)
            return lifted

    def _start(
        self, tx: Transaction, actor: Actor, certificate: Certificate, circumstance: Circumstance
    ) -> Application:
        assert certificate.application is not None
        old = tx.applications.get(certificate.application, seen_by=EVERYTHING)
        profile = self._profiles.profile(certificate.profile, on=tx.now.date())
        application = Application(
            id=tx.new_id(),
            number=tx.applications.next_number(tx.now.year),
            owner=old.owner,
            centre=old.centre,
            profile=profile.key,
            profile_version=profile.version,
            profile_digest=profile.digest,
            approvals_required=profile.approvals,
            subject=old.subject,
            san=old.san,
            # How identity was confirmed is asked again; the earlier answer is only where one begins.
            identification=old.identification,
            replaces=certificate.id,
            circumstance=circumstance.value,
            state_since=tx.now,
            created_at=tx.now,
        )
        tx.applications.add(application)
        tx.applications.add_editor(application.id, actor.id)
        tx.audit.record(
            "replacement.started",
            "application",
            application.id,
            certificate=str(certificate.id),
            circumstance=circumstance.value,
            owner=str(application.owner),
            profile=application.profile_digest.hex(),
            content=content_digest(application).hex(),
        )
        notify(tx, application.owner, "replacement-started", application=application)
        return application

    def _carry_documents(self, actor: Actor, certificate: Certificate, started: Application) -> None:
        """Documents that were accepted and still count by the pack's rule. A crash in between loses nothing: what
        was not carried over is asked for."""
        profile = self._profiles.pinned(started)
        reusable = {rule.kind: rule.reusable for rule in profile.evidence if rule.reusable is not None}
        assert certificate.application is not None
        with self._transactions.read(actor) as tx:
            on_file = [
                one
                for one in tx.documents.of(certificate.application)
                if one.state is DocumentState.ACCEPTED
                and one.kind in reusable
                and one.decided_at is not None
                and one.decided_at + reusable[one.kind] > tx.now
            ]
        for document in on_file:
            self._documents.carry_over(actor, document, started.id)


def _protect(
    tx: Transaction, actor: Actor, certificate: Certificate, circumstance: Circumstance, because: str
) -> Certificate:
    known = circumstance.value
    if circumstance is Circumstance.LOST and certificate.state is CertificateState.ISSUED:
        actor.require(Permission.CERTIFICATE_HOLD)
        return put_on_hold(tx, certificate, by=actor.id, because=known, ground=checked_ground(actor, because))
    if circumstance is Circumstance.COMPROMISED and is_active(certificate):
        actor.require(Permission.CERTIFICATE_REVOKE)
        reason, ground = RevocationReason.KEY_COMPROMISE, checked_ground(actor, because)
        return revoke_for_good(tx, certificate, reason=reason, because=known, ground=ground)
    return certificate
