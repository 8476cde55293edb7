"""Intake: an application from draft to submission, and what it looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from ca_core.domain.access import Actor, Permission
from ca_core.domain.application import Application, ApplicationState, content_digest
from ca_core.domain.errors import InvalidInput, NotFound, WrongState
from ca_core.domain.profile import Profile, SubjectClass
from ca_core.services.addresses import Addresses
from ca_core.services.application_view import ApplicationView, view_of
from ca_core.services.clock import DecisionClock
from ca_core.services.events import emit
from ca_core.services.evidence import requirements
from ca_core.services.new_application import NewApplication, draft_of
from ca_core.services.notices import notify
from ca_core.services.ports import EvidenceCheck, Page, Profiles, Transaction, Transactions
from ca_core.services.register_checks import RegisterChecks
from ca_core.services.review_round import UNDER_REVIEW, look_again, record_check, with_other_data, withdraw
from ca_core.services.row import application_by, unless_stale
from ca_core.services.subject_rules import IdentifierRules, check_subject, tidied


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
        addresses: Addresses,
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._clock = clock
        self._rules = identifier_rules
        self._checks = RegisterChecks(evidence_checks)
        self._addresses = addresses

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
                **({"certificate": str(draft.replaces)} if draft.replaces else {}),
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
        answers = self._checks.ask(profile, changed.subject) if submitted else ()
        with self._transactions.begin(actor) as tx:
            unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            changed = tx.applications.replace(with_other_data(changed, at=tx.now))
            for answer in answers:
                record_check(tx, answer.about(changed, tx))
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
        InvalidInput names what is missing; Refused when a blocking check says no; AddressUnconfirmed until the
        applicant's mail is known to arrive."""
        actor.require(Permission.APPLICATION_EDIT)
        with self._transactions.read(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            if application.owner == actor.id:
                self._addresses.require_confirmed(tx, actor.id)
            today = tx.now.date()
        if application.state not in (ApplicationState.DRAFT, ApplicationState.RETURNED):
            raise WrongState(f"application {application.number} is {application.state.value}; it was submitted already")
        profile = self._profiles.profile(application.profile, on=today)
        self._check_data(profile, application, complete=True)
        answers = self._checks.ask(profile, application.subject)
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            again = application.state is ApplicationState.RETURNED
            application = replace(application, round=application.round + again)
            checks = [answer.about(application, tx) for answer in answers]
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
                approvals=submitted.approvals_required,
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

    def get(self, actor: Actor, id: UUID | str) -> ApplicationView:
        """By id or number; NotFound also for what the caller may not see."""
        actor.require(Permission.APPLICATION_VIEW)
        with self._transactions.read(actor) as tx:
            application = application_by(tx, actor, id)
            return view_of(tx, actor, application, self._profiles.pinned(application))

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
        draft = draft_of(tx, actor, new, profile, number=number)
        self._check_data(profile, draft, complete=False)
        return draft

    def _check_data(self, profile: Profile, application: Application, *, complete: bool) -> None:
        check_subject(
            profile,
            subject=application.subject,
            san=application.san,
            identification=application.identification,
            rules=self._rules,
            complete=complete,
        )
