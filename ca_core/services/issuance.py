"""Issuance: from an approved application with its request to a certificate on record (invariants 1 to 7 and 9).

Two short transactions with the signature between them: the first makes the intent durable, the second the result.
Whatever is killed when, no serial is used twice, nothing is signed without a record, and what was acknowledged stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Permission
from ca_core.domain.application import Application, ApplicationState, Approval
from ca_core.domain.authority import Authority, AuthorityKind, in_good_standing
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import (
    ApprovalNeeded,
    CaError,
    ConfigurationError,
    IntegrityAlarm,
    NotPermitted,
    TryAgain,
    WrongState,
)
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.profile import Profile
from ca_core.services.certificate_content import partition_of
from ca_core.services.events import emit
from ca_core.services.notices import notify
from ca_core.services.ports import KeyStore, Profiles, Transaction, Transactions
from ca_core.services.reconciliation import abandon
from ca_core.services.replacement_reason import revoke_replaced
from ca_core.services.row import unless_stale
from ca_core.services.signing import sign_certificate
from ca_core.services.subject_key import refuse_key_of_another
from ca_core.services.ticket import Ticket, prepare, record_intent, record_signature
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.key_policy import check_not_blocked
from ca_core.x509.request import CertificationRequest

Observer = Callable[[str], None]
"""Told of each step as it is reached: ``serial``, ``lint``, ``intent``, ``sign``, ``store``."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What would be signed."""

    serial: str
    subject: str
    not_before: datetime
    not_after: datetime
    tbs: bytes


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What a ticket is made from, as one transaction saw it."""

    application: Application
    profile: Profile
    issuer: Authority
    at: datetime


class Issuance:
    """The only way to a subscriber's certificate."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        keys: KeyStore,
        *,
        base_url: str,
        entropy: Entropy,
        abandon_after: timedelta,
        observe: Observer = lambda _: None,
    ) -> None:
        """``base_url`` goes into CRL, OCSP and AIA addresses; an intent older than ``abandon_after`` has no signer
        any more."""
        self._transactions = transactions
        self._profiles = profiles
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        self._entropy = entropy
        self._abandon_after = abandon_after
        self._observe = observe

    def preview(self, actor: Actor, application_id: UUID) -> Prepared:
        """Build and lint what :meth:`issue` would sign; nothing is stored or signed."""
        with self._transactions.read(actor) as tx:
            order = self._order(tx, actor, tx.applications.get(application_id, seen_by=actor.visibility))
        ticket = self._prepare(order)
        return Prepared(
            serial=ticket.serial.hex,
            subject=ticket.content.subject,
            not_before=ticket.content.not_before,
            not_after=ticket.content.not_after,
            tbs=ticket.content.linted.der,
        )

    def issue(self, actor: Actor, application_id: UUID, *, version: int | None = None) -> Certificate:
        """Issue, or return what was issued already. ``version`` names the row version that the caller saw, and with it
        the request whose key is certified.

        LintFailed when a rule objects, KeyUnavailable when the key cannot be used; TryAgain while another call signs
        for the same application, or its outcome is not known yet."""
        with self._transactions.read(actor) as tx:
            application = tx.applications.get(application_id, seen_by=actor.visibility)
            if application.certificate is not None:
                _require_right(actor, application)
                return tx.certificates.get(application.certificate, seen_by=actor.visibility)
            order = self._order(tx, actor, application, version=version)
        self._observe("serial")
        ticket = self._prepare(order)
        self._observe("lint")
        # Before the intent: while the key is away nothing is recorded, and no serial used up.
        signer = self._keys.signer(ticket.issuer.key_reference, ticket.issuer.signature_algorithm)
        with self._transactions.begin(actor) as tx:
            intent = self._record_intent(tx, actor, order.application, ticket)
        self._observe("intent")
        try:
            signed = sign_certificate(ticket.content.linted, signer)
        except CaError as failure:
            self._give_up(actor, intent, failure)
            raise
        self._observe("sign")
        with self._transactions.begin(actor) as tx:
            certificate = _store(tx, intent, signed)
        self._observe("store")
        return certificate

    def _order(self, tx: Transaction, actor: Actor, application: Application, *, version: int | None = None) -> _Order:
        _require_right(actor, application)
        if application.state in (
            ApplicationState.SUBMITTED,
            ApplicationState.IN_REVIEW,
            ApplicationState.APPROVED_FIRST,
        ):
            raise ApprovalNeeded(f"application {application.number} is not approved yet")
        if application.state is not ApplicationState.REQUEST_RECEIVED:
            raise WrongState(
                f"application {application.number} is {application.state.value}; "
                "a certificate is issued once its certification request is in"
            )
        unless_stale(application, version)
        profile = self._profiles.pinned(application)
        return _Order(application=application, profile=profile, issuer=_issuer(tx, profile), at=tx.now)

    def _prepare(self, order: _Order) -> Ticket:
        application, issuer = order.application, order.issuer
        assert application.request_der is not None
        serial = Serial.random(self._entropy)
        return prepare(
            order.profile,
            issuer,
            serial=serial,
            partition=partition_of(serial, issuer.partitions),
            subject=application.subject,
            san=application.san,
            identification=application.identification,
            public_key_info=CertificationRequest.parse(application.request_der).public_key_info,
            base_url=self._base_url,
            now=order.at,
        )

    def _record_intent(self, tx: Transaction, actor: Actor, application: Application, ticket: Ticket) -> Certificate:
        """What may have changed since it was prepared is asked again; the database checks the approvals too (12)."""
        current = tx.applications.get(application.id, seen_by=actor.visibility)
        if current.version != application.version:
            raise TryAgain(f"application {application.number} was changed just now; look at it again")
        self._settle_earlier(tx, current)
        approvals = tx.applications.approvals(current.id, current.round)
        if len({one.approver for one in approvals if _may_approve(tx, one)}) < ticket.profile.approvals:
            raise ApprovalNeeded(
                f"application {current.number} lacks an approval of somebody who may still approve; "
                "have it reviewed again"
            )
        check_not_blocked(ticket.spki_sha256, tx.certificates.is_blocked)
        refuse_key_of_another(tx, ticket.spki_sha256, owner=current.owner)
        return record_intent(
            tx,
            ticket,
            application=current,
            approval_digest=approvals[-1].digest,
            owner=str(current.owner),
            round=current.round,
            approved=approvals[-1].digest.hex(),
            approvals=[str(one.id) for one in approvals],
            approvers=[str(one.approver) for one in approvals],
        )

    def _settle_earlier(self, tx: Transaction, application: Application) -> None:
        """An open intent of somebody who signs right now, or who died."""
        earlier = tx.certificates.intent_of(application.id)
        if earlier is None:
            return
        if tx.now - earlier.created_at < self._abandon_after:
            raise TryAgain(
                f"the certificate of application {application.number} is being signed; ask again",
                retry_after=max(1, int(self._abandon_after.total_seconds())),
            )
        abandon(tx, earlier)

    def _give_up(self, actor: Actor, intent: Certificate, failure: CaError) -> None:
        """The key was asked, so a signature may exist: the serial counts as revoked from now on."""
        with self._transactions.begin(actor) as tx:
            abandon(tx, tx.certificates.get(intent.id, seen_by=EVERYTHING))
        if isinstance(failure, IntegrityAlarm):
            with self._transactions.begin(actor) as tx:
                tx.audit.record("alarm.integrity", "certificate", intent.id, detail=failure.detail)


def _store(tx: Transaction, intent: Certificate, signed: SignedCertificate) -> Certificate:
    """The certificate and all that follows from it."""
    assert intent.application is not None
    issued = record_signature(tx, intent, signed)
    current = tx.applications.get(intent.application, seen_by=EVERYTHING)
    tx.applications.replace(current.step(ApplicationState.ISSUED, at=tx.now, certificate=issued.id))
    if current.replaces is not None:
        revoke_replaced(tx, current)
    notify(tx, current.owner, "certificate-issued", application=current)
    emit(tx, "certificate.issued", certificate=issued.id, application=current.id)
    return issued


def _require_right(actor: Actor, application: Application) -> None:
    if application.owner != actor.id:
        actor.require(Permission.CERTIFICATE_ISSUE)
    elif not (actor.may(Permission.CERTIFICATE_REQUEST) or actor.may(Permission.CERTIFICATE_ISSUE)):
        raise NotPermitted("this token may not ask for certificates")


def _may_approve(tx: Transaction, approval: Approval) -> bool:
    """Whether the approver was not thrown out since."""
    account = tx.accounts.get(approval.approver, seen_by=EVERYTHING)
    return account.active and account.actor().may(Permission.APPLICATION_APPROVE)


def _issuer(tx: Transaction, profile: Profile) -> Authority:
    """The issuing authority for that profile: in good standing, of the same environment (invariant 17), the newest."""
    everyone = tx.authorities.all()
    fitting = [
        one
        for one in everyone
        if one.kind is AuthorityKind.ISSUING
        and in_good_standing(one, everyone)
        and one.environment is profile.environment
        and one.not_before <= tx.now < one.not_after
    ]
    if not fitting:
        raise ConfigurationError(
            f"no active issuing authority for {profile.environment.value} profiles; run: pechatnik ca init"
        )
    return max(fitting, key=lambda one: one.not_after)
