"""What the repositories of applications and documents answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.application import ApplicationState, CheckResult
from ca_core.domain.document import DocumentState
from ca_core.domain.errors import Duplicate, NotFound, StaleVersion

S = ApplicationState


@pytest.fixture
def people(shelf: Any) -> Any:
    return shelf.account("owner"), shelf.account("operator"), shelf.centre("C")


def test_what_goes_in_comes_out(shelf: Any, people: Any, clock: Any) -> None:
    owner, operator, centre = people
    clock.moment = clock.moment.replace(microsecond=987_653)
    full = shelf.application(
        owner,
        centre,
        subject={"O": "ООО «Ёж»", "CN": "الختم"},
        san=(("dns", "a.example"), ("dns", "a.example"), ("email", "x@example.org")),
        identification="in-person",
        circumstance="lost",
        state=S.IN_REVIEW,
        note="ж" * 3000,
        submitted_at=clock(),
        clock_consumed=timedelta(days=2, microseconds=1),
        clock_running_since=clock(),
        due_at=clock() + timedelta(days=3),
        clock_stage="half",
        claimed_by=operator,
        claim_expires=clock() + timedelta(minutes=5),
        request_der=b"\0\xff",
    )
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.applications.get(full.id, seen_by=EVERYTHING) == full
        assert tx.applications.by_number(full.number, seen_by=EVERYTHING) == full
        with pytest.raises(NotFound):
            tx.applications.by_number("2026-999999", seen_by=EVERYTHING)
    with pytest.raises(Duplicate):
        shelf.application(owner, centre, number=full.number)


def test_the_queue_shows_the_earliest_deadline_first(shelf: Any, people: Any, clock: Any) -> None:
    owner, operator, centre = people
    hour = timedelta(hours=1)
    late = shelf.application(owner, centre, state=S.SUBMITTED, due_at=clock() + 3 * hour)
    paused = shelf.application(owner, centre, state=S.RETURNED)
    mine = shelf.application(owner, centre, state=S.IN_REVIEW, due_at=clock() + hour, claimed_by=operator)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        find, count = tx.applications.find, tx.applications.count
        assert list(find(seen_by=EVERYTHING, order="due").items) == [mine, late, paused]
        assert list(find(seen_by=EVERYTHING).items) == [mine, paused, late], "newest first"
        assert list(find(seen_by=EVERYTHING, states=[S.SUBMITTED, S.RETURNED]).items) == [paused, late]
        assert list(find(seen_by=EVERYTHING, claimed_by=operator).items) == [mine]
        assert list(find(seen_by=EVERYTHING, text=late.number).items) == [late]
        assert count(seen_by=EVERYTHING) == 3
        assert count(seen_by=EVERYTHING, states=[S.SUBMITTED]) == 1
        assert count(seen_by=EVERYTHING, claimed_by=operator) == 1
        assert count(seen_by=EVERYTHING, states=[S.SUBMITTED], claimed_by=operator) == 0


def test_clocks_claims_and_forgotten_drafts_are_found(shelf: Any, people: Any, clock: Any) -> None:
    owner, operator, centre = people
    start = clock()
    old = shelf.application(owner, centre)
    newer = shelf.application(owner, centre)
    running = shelf.application(
        owner,
        centre,
        state=S.IN_REVIEW,
        clock_running_since=start,
        claimed_by=operator,
        claim_expires=start + timedelta(minutes=5),
    )
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        rows = tx.applications
        assert list(rows.running_clocks()) == [running]
        assert list(rows.expired_claims(start + timedelta(minutes=4))) == []
        assert list(rows.expired_claims(start + timedelta(minutes=5))) == [running]
        assert list(rows.unmoved_since(clock(), states=[S.DRAFT], limit=9)) == [old, newer], "oldest first"
        assert list(rows.unmoved_since(clock(), states=[S.DRAFT], limit=1)) == [old]
        assert list(rows.unmoved_since(newer.state_since, states=[S.DRAFT], limit=9)) == [old]
        assert list(rows.unmoved_since(clock(), states=[S.RETURNED], limit=9)) == []


@pytest.mark.parametrize("state", [S.DRAFT, S.REQUEST_RECEIVED, S.ISSUED, S.WITHDRAWN])
def test_a_replacement_is_open_until_issued_or_ended(shelf: Any, people: Any, state: ApplicationState) -> None:
    owner, _, centre = people
    lost = shelf.issued().id
    shelf.application(owner, centre, replaces=lost, state=state)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        found = tx.applications.open_replacement_of(lost)
        assert (found is not None) == (state in (S.DRAFT, S.REQUEST_RECEIVED))
        assert tx.applications.open_replacement_of(UUID(int=99)) is None


def test_editors_approvals_and_checks_belong_to_one_application(shelf: Any, people: Any) -> None:
    owner, operator, centre = people
    application, other = shelf.application(owner, centre), shelf.application(owner, centre)
    shelf.approve(application, operator, digest=b"\7" * 32)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        for _ in range(2):  # said twice, recorded once
            tx.applications.add_editor(application.id, owner)
        check = CheckResult(
            id=tx.new_id(),
            application=application.id,
            round=1,
            name="inn",
            mode="blocking",
            verdict="confirmed",
            detail="ИНН верен",
            at=tx.now,
            extra={"sha256": "00"},
        )
        tx.applications.add_check(check)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        rows = tx.applications
        assert rows.editors(application.id) == {owner}
        assert [(one.approver, one.digest) for one in rows.approvals(application.id, 1)] == [(operator, b"\7" * 32)]
        assert list(rows.checks(application.id, 1)) == [check]
        assert not rows.approvals(application.id, 2)
        assert not rows.checks(application.id, 2)
        assert not rows.editors(other.id)
        assert not rows.approvals(other.id, 1)


def test_documents_of_an_application_and_who_was_shown_them(shelf: Any, people: Any, clock: Any) -> None:
    owner, operator, centre = people
    application, other = shelf.application(owner, centre), shelf.application(owner, centre)
    first = shelf.document(application)
    clock.advance(timedelta(seconds=1))
    second = shelf.document(application)
    shelf.document(other)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        superseded = tx.documents.replace(replace(first, state=DocumentState.SUPERSEDED))
        for _ in range(2):
            tx.documents.add_view(second.id, operator, 1, second.sha256, tx.now)
        tx.documents.add_view(first.id, operator, 1, b"\1" * 32, tx.now)  # other bytes than these
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert list(tx.documents.of(application.id)) == [superseded, second], "oldest first, superseded ones too"
        assert tx.documents.viewed_by(application.id, operator) == {second.id}
        assert tx.documents.viewed_by(application.id, owner) == frozenset()
        assert tx.documents.viewed_by(other.id, operator) == frozenset()
    with pytest.raises(StaleVersion), shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.documents.replace(replace(first, state=DocumentState.ACCEPTED))
