"""The three-day clock: starts, pauses, resumes, warns and escalates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.domain.deadline import Deadline, DeadlineStage
from ca_core.domain.errors import WrongState
from ca_core.domain.profile import CalendarRule
from ca_core.packs.holiday_calendar import work_calendar

DAY = timedelta(days=1)
CALENDAR = work_calendar(CalendarRule(country="RU", timezone="UTC", day_starts=8, day_ends=16))
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)


def at(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_three_days_from_submission() -> None:
    assert Deadline.start(3 * DAY, at=TUESDAY).due_at(calendar=CALENDAR) == at(27)


@pytest.mark.parametrize(
    ("now", "left", "stage"),
    [
        (at(24), 3 * DAY, DeadlineStage.ON_TIME),
        (at(25, 13), 1.625 * DAY, DeadlineStage.ON_TIME),
        (at(25, 14), 1.5 * DAY, DeadlineStage.HALF),
        (at(26, 11), 0.875 * DAY, DeadlineStage.HALF),
        (at(26, 12), 0.75 * DAY, DeadlineStage.QUARTER),
        (at(27, 9), 0.125 * DAY, DeadlineStage.QUARTER),
        (at(27, 10), 0 * DAY, DeadlineStage.OVERDUE),
        (at(30, 10), -DAY, DeadlineStage.OVERDUE),
    ],
)
def test_stages_follow_what_is_left(now: datetime, left: timedelta, stage: DeadlineStage) -> None:
    deadline = Deadline.start(3 * DAY, at=TUESDAY)
    assert deadline.remaining(now, calendar=CALENDAR) == left
    assert deadline.stage(now, calendar=CALENDAR) is stage


def test_a_pause_keeps_what_is_left() -> None:
    paused = Deadline.start(3 * DAY, at=TUESDAY).pause(at=at(25), calendar=CALENDAR)
    assert paused.consumed == DAY
    assert paused.due_at(calendar=CALENDAR) is None
    assert paused.remaining(at(30), calendar=CALENDAR) == 2 * DAY
    resumed = paused.resume(at=at(30, 12))
    assert resumed.due_at(calendar=CALENDAR) == datetime(2026, 12, 2, 12, tzinfo=UTC)


def test_an_overdue_clock_that_is_resumed_is_due_at_once() -> None:
    paused = Deadline.start(DAY, at=TUESDAY).pause(at=at(27), calendar=CALENDAR)
    assert paused.stage(at(27), calendar=CALENDAR) is DeadlineStage.OVERDUE
    assert paused.resume(at=at(30)).due_at(calendar=CALENDAR) == at(30)


def test_it_cannot_be_paused_or_resumed_twice() -> None:
    running = Deadline.start(DAY, at=TUESDAY)
    with pytest.raises(WrongState, match="runs already"):
        running.resume(at=at(25))
    paused = running.pause(at=at(25), calendar=CALENDAR)
    with pytest.raises(WrongState, match="paused already"):
        paused.pause(at=at(25), calendar=CALENDAR)


def test_stage_values_are_those_an_application_stores() -> None:
    assert [stage.value for stage in DeadlineStage] == ["on-time", "half", "quarter", "overdue"]


spans = st.integers(0, 10 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@settings(deadline=None)
@given(st.lists(st.tuples(spans, spans), max_size=5), spans)
def test_only_running_time_is_used(rounds: list[tuple[timedelta, timedelta]], last: timedelta) -> None:
    deadline, now, ran = Deadline.start(3 * DAY, at=TUESDAY), TUESDAY, timedelta(0)
    for runs, rests in rounds:
        ran += CALENDAR.working_time_between(now, now + runs)
        deadline = deadline.pause(at=now + runs, calendar=CALENDAR).resume(at=now + runs + rests)
        now += runs + rests
    ran += CALENDAR.working_time_between(now, now + last)
    assert deadline.used(now + last, calendar=CALENDAR) == ran
    assert deadline.remaining(now + last, calendar=CALENDAR) == 3 * DAY - ran


@settings(deadline=None)
@given(spans, spans)
def test_a_stage_never_goes_back(first: timedelta, then: timedelta) -> None:
    order = list(DeadlineStage)
    deadline = Deadline.start(3 * DAY, at=TUESDAY)
    earlier, later = (deadline.stage(TUESDAY + span, calendar=CALENDAR) for span in (first, first + then))
    assert order.index(earlier) <= order.index(later)
