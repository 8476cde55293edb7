"""Intake: an application from draft to submission, its certification request, and the applicant's acceptance."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor, Permission, Role
from ca_core.domain.application import (
    Application,
    ApplicationState,
    Approval,
    CheckMode,
    CheckResult,
    CheckVerdict,
    content_digest,
    snapshot_digest,
)
from ca_core.domain.document import Document
from ca_core.domain.errors import (
    ConfigurationError,
    InvalidInput,
    NotFound,
    NotPermitted,
    Refused,
    SelfApproval,
    TryAgain,
    WeakKey,
    WrongState,
)
from ca_core.domain.identifiers import Entropy
from ca_core.domain.profile import Profile, SubjectClass
from ca_core.services.clock import DecisionClock
from ca_core.services.events import emit
from ca_core.services.evidence import Requirement, requirements
from ca_core.services.notices import notify
from ca_core.services.ports import CheckOutcome, EvidenceCheck, Page, Profiles, Transaction, Transactions
from ca_core.services.report_code import new_report_code, report_code_digest
from ca_core.services.review_round import (
    UNDER_REVIEW,
    look_again,
    record_check,
    refuse_while_signing,
    with_other_data,
    withdraw,
)
from ca_core.services.row import application_by, unless_stale
from ca_core.services.subject_key import refuse_key_of_another, require_allowed
from ca_core.services.subject_rules import IdentifierRules, check_subject, tidied
from ca_core.x509.key_policy import check_public_key
from ca_core.x509.request import CertificationRequest


@dataclass(frozen=True, kw_only=True)
class NewApplication:
    """What an application starts with; everything but the profile can come later."""

    profile: str
    """``pack/name``."""
    subject: Mapping[str, str]
    san: tuple[tuple[str, str], ...] = ()
    identification: str | None = None
    centre: UUID | None = None
    """None: the only one there is, or the operator's own."""
    owner: UUID | None = None
    """The subscriber's account when staff apply for somebody; None: the caller."""


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


class Intake:
    """What applicants do, and staff for them."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        clock: DecisionClock,
        *,
        identifier_rules: IdentifierRules,
        evidence_checks: Sequence[EvidenceCheck],
        known_weak: Container[bytes],
        entropy: Entropy,
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._clock = clock
        self._rules = identifier_rules
        self._checks = {check.name: check for check in evidence_checks}
        self._known_weak = known_weak
        self._entropy = entropy

    def profiles(self, actor: Actor) -> Sequence[Profile]:
        """What can be applied for today."""
        actor.require(Permission.APPLICATION_VIEW)
        with self._transactions.read(actor) as tx:
            today = tx.now.date()
        return [one for one in self._profiles.profiles(today) if one.subject_class is not SubjectClass.AUTHORITY]

    def profile(self, actor: Actor, key: str) -> Profile:
        """One of :meth:`profiles`, or NotFound."""
        found = next((one for one in self.profiles(actor) if one.key == key), None)
        if found is None:
            raise NotFound(f"no profile {key[:100]!r} can be applied for today")
        return found

    def check(self, actor: Actor, new: NewApplication) -> None:
        """Whether :meth:`create` would accept it; stores nothing."""
        with self._transactions.read(actor) as tx:
            self._draft(tx, actor, new, number="")

    def create(self, actor: Actor, new: NewApplication) -> Application:
        """A draft. InvalidInput names each wrong field; NotPermitted when a subscriber applies for another."""
        with self._transactions.begin(actor) as tx:
            draft = self._draft(tx, actor, new, number=tx.applications.next_number(tx.now.year))
            tx.applications.add(draft)
            tx.applications.add_editor(draft.id, actor.id)
            tx.audit.record(
                "application.created",
                "application",
                draft.id,
                profile=draft.profile,
                owner=str(draft.owner),
                content=content_digest(draft).hex(),
            )
            return draft

    def update(
        self,
        actor: Actor,
        id: UUID,
        *,
        version: int,
        subject: Mapping[str, str] | None = None,
        san: tuple[tuple[str, str], ...] | None = None,
        identification: str | None = None,
    ) -> Application:
        """Change the data before the decision; what is None stays. Approvals given so far no longer count.

        What was submitted already is a new round: registers are asked again, before the transaction, and accepted
        documents are looked at again. Refused when a blocking check says no."""
        actor.require(Permission.APPLICATION_EDIT)
        with self._transactions.read(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
        changed = replace(
            application,
            subject=application.subject if subject is None else tidied(subject),
            san=application.san if san is None else san,
            identification=identification or application.identification,
        )
        profile = self._profiles.pinned(changed)
        submitted = application.state in UNDER_REVIEW
        self._check_data(profile, changed, complete=application.state is not ApplicationState.DRAFT)
        outcomes = [self._ask(self._checks[name], changed.subject) for name in profile.checks] if submitted else []
        with self._transactions.begin(actor) as tx:
            unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            changed = tx.applications.replace(with_other_data(changed, at=tx.now))
            for outcome in outcomes:
                record_check(tx, self._result(tx, changed, outcome))
            look_again(tx, changed)
            tx.applications.add_editor(id, actor.id)
            tx.audit.record(
                "application.changed", "application", id, round=changed.round, content=content_digest(changed).hex()
            )
            if actor.id != changed.owner:
                notify(tx, changed.owner, "application-changed", application=changed)
            return changed

    def submit(self, actor: Actor, id: UUID, *, version: int) -> Application:
        """Hand in: data complete, documents there, register checks asked, clock started or resumed.

        The checks may ask the outside, so they run before the transaction; a change in between is StaleVersion.
        InvalidInput names what is missing; Refused when a blocking check says no."""
        actor.require(Permission.APPLICATION_EDIT)
        with self._transactions.read(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            today = tx.now.date()
        if application.state not in (ApplicationState.DRAFT, ApplicationState.RETURNED):
            raise WrongState(f"application {application.number} is {application.state.value}; it was submitted already")
        profile = self._profiles.profile(application.profile, on=today)
        self._check_data(profile, application, complete=True)
        outcomes = [self._ask(self._checks[name], application.subject) for name in profile.checks]
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            again = application.state is ApplicationState.RETURNED
            application = replace(application, round=application.round + again)
            checks = [self._result(tx, application, outcome) for outcome in outcomes]
            needed = requirements(profile, tx.documents.of(id), checks)
            missing = {one.kind: "send this document" for one in needed if one.missing}
            if missing:
                raise InvalidInput(f"documents are missing: {', '.join(missing)}", fields=missing)
            for check in checks:
                record_check(tx, check)
            submitted = application.step(
                ApplicationState.SUBMITTED,
                at=tx.now,
                profile_version=profile.version,
                profile_digest=profile.digest,
                approvals_required=profile.approvals,
                submitted_at=application.submitted_at or tx.now,
                note="",
            )
            submitted = tx.applications.replace(self._clock.start(submitted, at=tx.now))
            tx.applications.add_editor(id, actor.id)
            tx.audit.record(
                "application.submitted",
                "application",
                id,
                round=submitted.round,
                profile=profile.digest.hex(),
                content=content_digest(submitted).hex(),
            )
            notify(tx, submitted.owner, "application-submitted", application=submitted)
            emit(tx, "application.submitted", application=id)
            return submitted

    def withdraw(self, actor: Actor, id: UUID, *, version: int) -> Application:
        """End it, at any time before the certificate is issued; nothing stands in the way of a new one."""
        actor.require(Permission.APPLICATION_EDIT)
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            return withdraw(tx, self._clock, application, by=actor.id)

    def receive_request(self, actor: Actor, id: UUID, request: bytes, *, version: int) -> Application:
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
            refuse_key_of_another(tx, spki_sha256, owner=application.owner)
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

    def accept_certificate(self, actor: Actor, id: UUID, *, version: int) -> tuple[Application, str]:
        """The subscriber accepts. Also returns the code that reports the token lost; only its digest is kept."""
        actor.require(Permission.CERTIFICATE_REQUEST)
        code = new_report_code(self._entropy)
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            if application.owner != actor.id:
                raise NotPermitted("only the subscriber accepts the certificate")
            accepted = tx.applications.replace(application.step(ApplicationState.ACCEPTED, at=tx.now))
            assert application.certificate is not None
            certificate = tx.certificates.get(application.certificate, seen_by=actor.visibility)
            tx.certificates.replace(replace(certificate, report_code_sha256=report_code_digest(code)))
            tx.audit.record("certificate.accepted", "certificate", certificate.id, application=str(id))
            return accepted, code

    def get(self, actor: Actor, id: UUID | str) -> ApplicationView:
        """By id or number; NotFound also for what the caller may not see."""
        actor.require(Permission.APPLICATION_VIEW)
        with self._transactions.read(actor) as tx:
            application = application_by(tx, actor, id)
            documents = tx.documents.of(application.id)
            checks = tx.applications.checks(application.id, application.round)
            approvals = tx.applications.approvals(application.id, application.round)
            return ApplicationView(
                application=application,
                documents=documents,
                requirements=requirements(self._profiles.pinned(application), documents, checks),
                checks=checks,
                approvals=len(approvals),
                digest=snapshot_digest(application, [one for one in documents if one.counts], checks),
                approved=approvals if actor.roles - {Role.SUBSCRIBER} else (),
            )

    def list(
        self,
        actor: Actor,
        *,
        states: Iterable[str] = (),
        text: str = "",
        cursor: str | None = None,
        limit: int = 50,
        order: str = "created",
    ) -> Page[Application]:
        """Those the caller may see; see :meth:`ports.Applications.find`."""
        actor.require(Permission.APPLICATION_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.applications.find(
                seen_by=actor.visibility, states=states, text=text, cursor=cursor, limit=limit, order=order
            )

    def _draft(self, tx: Transaction, actor: Actor, new: NewApplication, *, number: str) -> Application:
        actor.require(Permission.APPLICATION_CREATE)
        profile = self._profiles.profile(new.profile, on=tx.now.date())
        if profile.subject_class is SubjectClass.AUTHORITY:
            raise NotFound(f"no profile {new.profile[:100]!r} can be applied for")
        application = Application(
            id=tx.new_id(),
            number=number,
            owner=_owner(tx, actor, new.owner),
            centre=_centre(tx, actor, new.centre),
            profile=profile.key,
            profile_version=profile.version,
            profile_digest=profile.digest,
            approvals_required=profile.approvals,
            subject=tidied(new.subject),
            san=new.san,
            identification=new.identification,
            state_since=tx.now,
            created_at=tx.now,
        )
        self._check_data(profile, application, complete=False)
        return application

    def _check_data(self, profile: Profile, application: Application, *, complete: bool) -> None:
        check_subject(
            profile,
            subject=application.subject,
            san=application.san,
            identification=application.identification,
            rules=self._rules,
            complete=complete,
        )

    def _ask(self, check: EvidenceCheck, subject: Mapping[str, str]) -> tuple[EvidenceCheck, CheckOutcome]:
        try:
            outcome = check.run(subject)
        except Exception as failure:  # a plugin's, and with it whatever is wrong outside
            if check.mode == CheckMode.BLOCKING:
                raise TryAgain(f"the check {check.name} cannot be made now; try again later") from failure
            detail = f"it could not be made ({type(failure).__name__})"
            outcome = CheckOutcome(verdict=CheckVerdict.UNKNOWN, detail=detail)
        if outcome.verdict not in set(CheckVerdict):
            # A misspelt refutation must not pass for none.
            raise ConfigurationError(f"the check {check.name} answers {outcome.verdict!r}, which is no verdict")
        if check.mode == CheckMode.BLOCKING and outcome.verdict == CheckVerdict.REFUTED:
            raise Refused(f"{check.name}: {outcome.detail}")
        return check, outcome

    def _result(
        self, tx: Transaction, application: Application, asked: tuple[EvidenceCheck, CheckOutcome]
    ) -> CheckResult:
        check, outcome = asked
        return CheckResult(
            id=tx.new_id(),
            application=application.id,
            round=application.round,
            name=check.name,
            mode=check.mode,
            verdict=outcome.verdict,
            detail=outcome.detail,
            at=tx.now,
            extra=outcome.extra or {},
        )


def _owner(tx: Transaction, actor: Actor, owner: UUID | None) -> UUID:
    if owner is None or owner == actor.id:
        if Role.SUBSCRIBER not in actor.roles:
            raise InvalidInput("name the subscriber that this application is for", fields={"owner": "required"})
        return actor.id
    if not actor.roles & {Role.OPERATOR, Role.SYSTEM}:
        raise NotPermitted("a subscriber applies in no other name than his own")
    account = tx.accounts.get(owner, seen_by=EVERYTHING)
    if Role.SUBSCRIBER not in account.roles or not account.active:
        raise InvalidInput("this account is not a subscriber's", fields={"owner": "not a subscriber"})
    return owner


def _centre(tx: Transaction, actor: Actor, centre: UUID | None) -> UUID:
    active = {one.id for one in tx.accounts.centres() if one.active}
    if Role.OPERATOR in actor.roles:
        active &= actor.centres
    if centre is None and len(active) == 1:
        return next(iter(active))
    if centre is None or centre not in active:
        raise InvalidInput("name one of the service centres", fields={"centre": "choose a service centre"})
    return centre
