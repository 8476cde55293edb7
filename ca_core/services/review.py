"""Review: the queue, the claim, a verdict on each document, and the decision of one or two people."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import Actor, Permission, Role
from ca_core.domain.application import (
    Application,
    ApplicationState,
    Approval,
    ApprovedContent,
    CheckResult,
    snapshot_content,
    snapshot_digest,
)
from ca_core.domain.audit import said
from ca_core.domain.document import Document, DocumentState
from ca_core.domain.errors import (
    ClaimedByAnother,
    InvalidInput,
    NotPermitted,
    Refused,
    SelfApproval,
    StaleVersion,
    WrongState,
)
from ca_core.domain.profile import Pack
from ca_core.services.clock import DecisionClock
from ca_core.services.events import emit
from ca_core.services.evidence import Requirement, requirements
from ca_core.services.notices import notify
from ca_core.services.ports import Page, Profiles, Transaction, Transactions
from ca_core.services.review_round import carry_checks, refuse_while_signing
from ca_core.services.row import unless_stale
from ca_core.x509.name import INVISIBLE

S = ApplicationState
TABS: Mapping[str, tuple[ApplicationState, ...]] = {
    "mine": (S.IN_REVIEW, S.APPROVED_FIRST),
    "unclaimed": (S.SUBMITTED,),
    "second": (S.APPROVED_FIRST,),
    "returned": (S.RETURNED,),
    "decided": (S.AWAITING_KEY, S.REQUEST_RECEIVED, S.ISSUED, S.ACCEPTED, S.REJECTED),
    "all": (),
}
"""The tabs of the queue, and the states that each shows."""
DECIDABLE = frozenset({S.IN_REVIEW, S.APPROVED_FIRST})
RECONSIDERABLE = frozenset({S.AWAITING_KEY, S.REQUEST_RECEIVED})
"""Approved, and not issued yet."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Exactly what a reviewer is shown; ``digest`` is what the approval will be bound to (invariant 12)."""

    application: Application
    documents: Sequence[Document]
    """Those that count."""
    requirements: Sequence[Requirement]
    checks: Sequence[CheckResult]
    digest: bytes
    approvals: Sequence[Approval]
    viewed: frozenset[UUID]
    """Documents that this reviewer was shown."""
    claimable: bool
    """Whether the caller may take it into review, if need be from somebody else."""
    taken: bool
    """Somebody else reviews it now."""
    decidable: bool
    """The caller holds it and may decide on it."""
    reconsiderable: bool
    """The caller may send it back into review."""


class Review:
    """What operators and reviewers do."""

    def __init__(
        self, transactions: Transactions, profiles: Profiles, clock: DecisionClock, *, claim_for: timedelta
    ) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._clock = clock
        self._claim_for = claim_for

    def queue(
        self, actor: Actor, *, tab: str, text: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Application]:
        """One tab of the queue, earliest deadline first."""
        actor.require(Permission.APPLICATION_REVIEW)
        if tab not in TABS:
            raise InvalidInput(f"there is no tab {tab[:20]!r}; use {', '.join(TABS)}")
        with self._transactions.read(actor) as tx:
            return tx.applications.find(
                seen_by=actor.visibility,
                states=TABS[tab],
                claimed_by=actor.id if tab == "mine" else None,
                text=text,
                cursor=cursor,
                limit=limit,
                order="due",
            )

    def counts(self, actor: Actor) -> Mapping[str, int]:
        """How many each tab holds."""
        actor.require(Permission.APPLICATION_REVIEW)
        with self._transactions.read(actor) as tx:
            return {
                tab: tx.applications.count(
                    seen_by=actor.visibility, states=states, claimed_by=actor.id if tab == "mine" else None
                )
                for tab, states in TABS.items()
            }

    def snapshot(self, actor: Actor, id: UUID) -> Snapshot:
        """What there is to decide on, and its digest."""
        actor.require(Permission.APPLICATION_REVIEW)
        return self.look(actor, id)

    def look(self, actor: Actor, id: UUID) -> Snapshot:
        """The same, for staff who decide on nothing too."""
        actor.require(Permission.APPLICATION_VIEW)
        if not actor.roles - {Role.SUBSCRIBER}:
            raise NotPermitted("how an application is reviewed is for staff to see")
        with self._transactions.read(actor) as tx:
            return self._snapshot(tx, actor, tx.applications.get(id, seen_by=actor.visibility))

    def claim(self, actor: Actor, id: UUID, *, take_over: bool = False) -> Application:
        """Take it, or go on holding it; ClaimedByAnother while somebody else does. A reviewer may ``take_over``."""
        actor.require(Permission.APPLICATION_REVIEW)
        with self._transactions.begin(actor) as tx:
            application = tx.applications.get(id, seen_by=actor.visibility)
            if application.owner == actor.id:
                raise SelfApproval("nobody reviews an application of his own")
            taken_from = application.claimed_by if application.held_by_another(actor.id, tx.now) else None
            if taken_from is not None and not (take_over and Role.REVIEWER in actor.roles):
                raise ClaimedByAnother(f"application {application.number} is being reviewed by somebody else")
            claim = {"claimed_by": actor.id, "claim_expires": tx.now + self._claim_for}
            if application.state in DECIDABLE:
                claimed = replace(application, **claim)  # type: ignore[arg-type]  # names checked by replace()
            else:
                claimed = application.step(S.IN_REVIEW, at=tx.now, **claim)
            claimed = tx.applications.replace(claimed)
            over = {"taken_from": str(taken_from)} if taken_from is not None else {}
            tx.audit.record("application.claimed", "application", id, **over)
            return claimed

    def release(self, actor: Actor, id: UUID) -> Application:
        """Give the claim back."""
        actor.require(Permission.APPLICATION_REVIEW)
        with self._transactions.begin(actor) as tx:
            application = tx.applications.get(id, seen_by=actor.visibility)
            application.require_claim(actor.id, tx.now)
            released = tx.applications.replace(unclaimed(application, at=tx.now))
            tx.audit.record("application.released", "application", id)
            return released

    def accept_document(self, actor: Actor, id: UUID, *, version: int) -> Document:
        """The document shows what it has to; the reviewer must have looked at every page."""
        with self._transactions.begin(actor) as tx:
            document, application = self._to_judge(tx, actor, id, version)
            if id not in tx.documents.viewed_by(application.id, actor.id):
                raise NotPermitted("look at every page of the document before you accept it")
            return self._judged(tx, actor, document, DocumentState.ACCEPTED, reason=None, note="")

    def refuse_document(self, actor: Actor, id: UUID, *, version: int, reason: str, note: str = "") -> Document:
        """Refuse it for one of the pack's reasons; the applicant reads reason and note."""
        with self._transactions.begin(actor) as tx:
            document, application = self._to_judge(tx, actor, id, version)
            reasons = self._pack(application).refusal_reasons
            if reason not in reasons:
                raise InvalidInput(f"reason is one of: {', '.join(reasons)}", fields={"reason": "choose a reason"})
            return self._judged(tx, actor, document, DocumentState.REFUSED, reason=reason, note=note)

    def return_for_correction(self, actor: Actor, id: UUID, *, version: int, note: str = "") -> Application:
        """Back to the applicant; the clock pauses. Only what was refused has to be sent again."""
        with self._transactions.begin(actor) as tx:
            application = self._to_decide(tx, actor, id, version)
            refused = [one for one in tx.documents.of(id) if one.state is DocumentState.REFUSED]
            note = checked_note(note)
            if not refused and not note:
                raise InvalidInput(
                    "refuse a document or write what has to be corrected", fields={"note": "say what to correct"}
                )
            returned = application.step(S.RETURNED, at=tx.now, note=note)
            returned = tx.applications.replace(self._clock.stop(returned, at=tx.now))
            tx.audit.record(
                "application.returned", "application", id, refused=[one.kind for one in refused], note=said(note)
            )
            notify(tx, application.owner, "application-returned", application=returned)
            emit(tx, "application.returned", application=id)
            return returned

    def approve(self, actor: Actor, id: UUID, *, version: int, digest: bytes) -> Application:
        """Approve exactly what has this digest (invariant 12).

        SelfApproval for whoever edited or requested, or approved already; StaleVersion when what was shown has
        changed; Refused while a document is missing, not accepted or not looked at."""
        actor.require(Permission.APPLICATION_APPROVE)
        with self._transactions.begin(actor) as tx:
            application = self._to_decide(tx, actor, id, version)
            self._refuse_self(tx, actor, application)
            shown = self._snapshot(tx, actor, application)
            if shown.digest != digest:
                raise StaleVersion("what you were shown has changed; look at it again, then decide")
            if any(one.approver == actor.id for one in shown.approvals):
                raise SelfApproval("you approved this already; somebody else has to be the second")
            _refuse_incomplete(shown)
            approval = Approval(
                id=tx.new_id(), application=id, round=application.round, approver=actor.id, digest=digest, at=tx.now
            )
            tx.applications.keep_approved(
                ApprovedContent(
                    digest=digest, content=snapshot_content(application, shown.documents, shown.checks), at=tx.now
                )
            )
            tx.applications.add_approval(approval)
            given = len(shown.approvals) + 1
            if given >= self._profiles.pinned(application).approvals:  # of the profile, whatever the row says
                approved = self._clock.stop(application.step(S.AWAITING_KEY, at=tx.now), at=tx.now)
                notify(tx, application.owner, "application-approved", application=approved)
                emit(tx, "application.approved", application=id)
            else:
                approved = application.step(S.APPROVED_FIRST, at=tx.now)
            approved = tx.applications.replace(approved)
            tx.audit.record(
                "application.approved",
                "application",
                id,
                approval=str(approval.id),
                digest=digest.hex(),
                given=given,
                round=application.round,
                state=approved.state.value,
            )
            return approved

    def reject(self, actor: Actor, id: UUID, *, version: int, note: str) -> Application:
        """Refuse for good, with the reason that the applicant reads."""
        note = checked_note(note)
        if not note:
            raise InvalidInput("say why", fields={"note": "the applicant needs the reason"})
        with self._transactions.begin(actor) as tx:
            application = self._to_decide(tx, actor, id, version)
            rejected = application.step(S.REJECTED, at=tx.now, note=note)
            rejected = tx.applications.replace(self._clock.stop(rejected, at=tx.now))
            tx.audit.record("application.rejected", "application", id, note=said(note))
            notify(tx, application.owner, "application-rejected", application=rejected)
            emit(tx, "application.rejected", application=id)
            return rejected

    def reconsider(self, actor: Actor, id: UUID, *, version: int, note: str) -> Application:
        """Send back into review what is approved and not issued yet: a new round, and no approval counts any more."""
        actor.require(Permission.APPLICATION_APPROVE)
        note = checked_note(note)
        if not note:
            raise InvalidInput("say why", fields={"note": "the next reviewer needs the reason"})
        with self._transactions.begin(actor) as tx:
            application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
            if application.state not in RECONSIDERABLE:
                raise WrongState(f"application {application.number} is {application.state.value}, not approved")
            refuse_while_signing(tx, application)
            again = application.step(
                S.SUBMITTED, at=tx.now, round=application.round + 1, request_der=None, request_sent_by=None
            )
            carry_checks(tx, application, again)
            again = tx.applications.replace(self._clock.start(again, at=tx.now))
            tx.audit.record("application.reconsidered", "application", id, round=again.round, note=said(note))
            notify(tx, application.owner, "application-reconsidered", application=again)
            emit(tx, "application.reconsidered", application=id)
            return again

    def _snapshot(self, tx: Transaction, actor: Actor, application: Application) -> Snapshot:
        documents = [one for one in tx.documents.of(application.id) if one.counts]
        checks = tx.applications.checks(application.id, application.round)
        profile = self._profiles.pinned(application)
        reviews, taken = actor.may(Permission.APPLICATION_REVIEW), application.held_by_another(actor.id, tx.now)
        held = application.claimed_by == actor.id and not application.claim_ended(tx.now)
        decidable = reviews and held and application.state in DECIDABLE
        return Snapshot(
            application=application,
            documents=documents,
            requirements=requirements(profile, documents, checks),
            checks=checks,
            digest=snapshot_digest(application, documents, checks),
            approvals=tx.applications.approvals(application.id, application.round),
            viewed=tx.documents.viewed_by(application.id, actor.id),
            claimable=reviews
            and not decidable
            and application.owner != actor.id
            and application.state in DECIDABLE | {S.SUBMITTED}
            and (not taken or Role.REVIEWER in actor.roles),
            taken=taken,
            decidable=decidable,
            reconsiderable=actor.may(Permission.APPLICATION_APPROVE) and application.state in RECONSIDERABLE,
        )

    def _to_decide(self, tx: Transaction, actor: Actor, id: UUID, version: int) -> Application:
        actor.require(Permission.APPLICATION_REVIEW)
        application = unless_stale(tx.applications.get(id, seen_by=actor.visibility), version)
        if application.state not in DECIDABLE:
            raise WrongState(f"application {application.number} is {application.state.value}; claim it from the queue")
        application.require_claim(actor.id, tx.now)
        return application

    def _to_judge(self, tx: Transaction, actor: Actor, id: UUID, version: int) -> tuple[Document, Application]:
        actor.require(Permission.APPLICATION_REVIEW)
        document = unless_stale(tx.documents.get(id, seen_by=actor.visibility), version)
        application = tx.applications.get(document.application, seen_by=actor.visibility)
        application.require_claim(actor.id, tx.now)
        if not document.counts:
            raise WrongState("a newer document has taken the place of this one; look at that")
        self._refuse_self(tx, actor, application)
        return document, application

    def _judged(
        self, tx: Transaction, actor: Actor, document: Document, state: DocumentState, *, reason: str | None, note: str
    ) -> Document:
        judged = replace(
            document, state=state, reason=reason, note=checked_note(note), decided_by=actor.id, decided_at=tx.now
        )
        judged = tx.documents.replace(judged)
        tx.audit.record(
            f"document.{state.value}",
            "document",
            document.id,
            sha256=document.sha256.hex(),
            reason=reason,
            note=said(judged.note),
        )
        return judged

    def _refuse_self(self, tx: Transaction, actor: Actor, application: Application) -> None:
        if actor.id == application.owner or actor.id in tx.applications.editors(application.id):
            raise SelfApproval("you entered or changed this application; somebody else has to decide on it")

    def _pack(self, application: Application) -> Pack:
        return self._profiles.pack(application.profile.partition("/")[0])


def unclaimed(application: Application, *, at: datetime) -> Application:
    """Without its claim; what was in review goes back to the queue."""
    if application.state is S.IN_REVIEW:
        return application.step(S.SUBMITTED, at=at)
    return replace(application, claimed_by=None, claim_expires=None)


def checked_note(note: str) -> str:
    """The note as it is kept: nothing that people do not see counts as words. InvalidInput for control characters."""
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\r\n\t" for one in note):
        raise InvalidInput("a note is plain text", fields={"note": "control characters cannot be used"})
    return "" if not any(one.isprintable() and not one.isspace() for one in INVISIBLE.sub("", note)) else note.strip()


def _refuse_incomplete(shown: Snapshot) -> None:
    open_points = {one.kind: "accept or refuse it first" for one in shown.requirements if not one.satisfied}
    open_points |= {one.kind: "look at every page of it first" for one in shown.documents if one.id not in shown.viewed}
    if open_points:
        raise Refused(f"not everything was checked: {', '.join(sorted(open_points))}", fields=open_points)
