"""The three-day clock: warnings at half and a quarter of the time, escalation, pauses, forgotten applications."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import NotFound


def notices(house: Any, actor: Any) -> list[str]:
    return [one.kind for one in house.services.notices.of(actor)]


def at(clock: Any, moment: datetime) -> None:
    clock.advance(moment - clock())


def test_the_decision_is_due_three_working_days_after_submission(house: Any, clock: Any) -> None:
    friday = clock() + timedelta(days=(4 - clock().weekday()) % 7 + 7)
    at(clock, friday.replace(hour=12, minute=0, second=0, microsecond=0))
    application = house.submit(house.apply())
    assert application.due_at == clock() + timedelta(days=5), "Friday noon to Wednesday noon, past a weekend"


def test_staff_are_warned_once_at_each_stage_and_reviewers_when_overdue(house: Any, clock: Any) -> None:
    monday = clock() + timedelta(days=7 - clock().weekday())
    at(clock, monday.replace(hour=9, minute=0, second=0, microsecond=0))
    application = house.submit(house.apply())
    seen = []
    for hours in (1, 29, 40, 51, 52, 58, 59):
        at(clock, monday.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(hours=hours))
        house.services.deadlines.tick()
        house.services.deadlines.tick()
        seen.append(house.current(application).clock_stage)
    assert seen == ["on-time", "half", "half", "quarter", "quarter", "overdue", "overdue"]
    kinds = [kind for kind in notices(house, house.operator) if kind.startswith("deadline-")]
    assert sorted(kinds) == ["deadline-half", "deadline-overdue", "deadline-quarter"]
    assert [k for k in notices(house, house.reviewer) if k.startswith("deadline-")] == ["deadline-overdue"]
    assert not [kind for kind in notices(house, house.elsewhere) if kind.startswith("deadline-")]


def test_the_clock_pauses_while_the_applicant_has_to_act(house: Any, clock: Any) -> None:
    application = house.submit(house.apply())
    house.services.review.claim(house.operator, application.id)
    version = house.current(application).version
    returned = house.services.review.return_for_correction(
        house.operator, application.id, version=version, note="name the department"
    )
    assert returned.due_at is None
    clock.advance(timedelta(days=30))
    house.services.deadlines.tick()
    assert house.current(application).clock_stage == "on-time"
    again = house.services.intake.submit(house.subscriber, application.id, version=returned.version)
    assert again.due_at is not None
    assert again.due_at > clock()


def test_one_application_that_fails_keeps_no_other_from_its_warning(
    house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = house.submit(house.apply()), house.submit(house.apply())
    stage = house.services.deadlines._clock.stage

    def without_its_pack(application: Any, now: datetime) -> Any:
        if application.id == broken.id:
            raise NotFound("no pack of that name is loaded")
        return stage(application, now)

    monkeypatch.setattr(house.services.deadlines._clock, "stage", without_its_pack)
    clock.advance(timedelta(days=30))
    with pytest.raises(NotFound):
        house.services.deadlines.tick()
    assert house.current(other).clock_stage == "overdue"
    assert house.current(broken).clock_stage == "on-time"


def test_what_was_forgotten_ends_after_the_configured_days(house: Any, clock: Any) -> None:
    draft = house.apply()
    waiting = house.approved()
    clock.advance(timedelta(days=91))
    house.services.deadlines.tick()
    assert house.current(draft).state.value == "expired"
    assert house.current(waiting).state.value == "expired"
    assert "application-expired" in notices(house, house.subscriber)


def test_invariant_16_the_clock_comes_in_as_an_argument(house: Any, clock: Any) -> None:
    draft = house.apply()
    assert draft.created_at == clock()
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.now == clock()
