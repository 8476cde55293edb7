"""Working time against the official calendars of 2026 and 2027, across clock changes, and as properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.domain.calendar import WorkCalendar
from ca_core.domain.errors import ConfigurationError, InvalidInput, NotFound
from ca_core.domain.profile import CalendarRule, Pack, ServiceLevel
from ca_core.packs.holiday_calendar import HolidayCalendars, work_calendar

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def russian(counts: str = "working-days", **changes: object) -> WorkCalendar:
    return work_calendar(CalendarRule(country="RU", timezone="Europe/Moscow", counts=counts, **changes))  # type: ignore[arg-type]


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-24T11:30", 3, "2026-11-27T11:30"),
        ("2026-11-27T15:00", 3, "2026-12-02T15:00"),
        ("2026-11-24T09:00", 1, "2026-11-24T18:00"),
        ("2026-11-24T03:00", 1, "2026-11-24T18:00"),
        ("2026-11-24T21:40", 3, "2026-11-27T18:00"),
        ("2026-11-28T12:00", 1, "2026-11-30T18:00"),
        ("2026-11-03T12:00", 1, "2026-11-05T12:00"),
        ("2026-12-30T12:00", 1, "2027-01-11T12:00"),
        ("2027-02-19T12:00", 1, "2027-02-20T12:00"),
        ("2027-02-20T12:00", 1, "2027-02-24T12:00"),
        ("2026-01-08T12:00", 1, "2026-01-12T18:00"),
    ],
    ids=[
        "same clock time three working days later",
        "over a weekend",
        "a whole day from its opening",
        "before opening counts from opening",
        "after closing counts from the next opening",
        "from a Saturday",
        "over Unity Day",
        "31 December is moved, then the New Year holidays",
        "the Saturday of 20 February 2027 is worked",
        "22 February 2027 is off in its stead, then a holiday",
        "9 January 2026 is off",
    ],
)
def test_working_days_by_the_russian_calendar(start: str, days: int, due: str) -> None:
    assert russian().add_working_time(moscow(start), days * DAY) == moscow(due)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-24T09:00", 9, "2026-11-24T18:00"),
        ("2026-11-24T17:00", 2, "2026-11-25T10:00"),
        ("2026-11-27T17:30", 1, "2026-11-30T09:30"),
        ("2026-11-28T01:00", 10, "2026-12-01T10:00"),
    ],
    ids=["ends at closing, not at the next opening", "over a night", "over a weekend", "more than a day"],
)
def test_working_hours(start: str, hours: int, due: str) -> None:
    assert russian("working-hours").add_working_time(moscow(start), timedelta(hours=hours)) == moscow(due)


def test_hours_are_those_of_the_clock() -> None:
    assert russian("hours").add_working_time(moscow("2026-12-31T20:00"), 12 * timedelta(hours=1)) == moscow(
        "2027-01-01T08:00"
    )
    assert russian("hours").working_time_between(moscow("2026-12-31T20:00"), moscow("2027-01-01T08:00")) == DAY / 2


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (datetime(2026, 10, 23, 23, tzinfo=BERLIN), 2, datetime(2026, 10, 26, 1, tzinfo=BERLIN)),
        (datetime(2026, 3, 29, 0, tzinfo=BERLIN), 3, datetime(2026, 3, 29, 4, tzinfo=BERLIN)),
        (datetime(2026, 10, 25, 0, tzinfo=BERLIN), 4, datetime(2026, 10, 25, 3, tzinfo=BERLIN)),
    ],
    ids=["over the weekend of the change", "the hour that is left out", "the hour that comes twice"],
)
def test_clock_changes_take_and_give_an_hour(start: datetime, hours: int, due: datetime) -> None:
    sundays = (date(2026, 3, 29), date(2026, 10, 25)) if start.day != 23 else ()
    calendar = work_calendar(
        CalendarRule(
            country="DE",
            timezone="Europe/Berlin",
            day_starts=0,
            day_ends=24,
            counts="working-hours",
            extra_workdays=sundays,
        )
    )
    assert calendar.add_working_time(start, timedelta(hours=hours)) == due


def test_a_working_day_on_which_the_clocks_change_is_one_day() -> None:
    day = date(2026, 3, 29)
    calendar = work_calendar(
        CalendarRule(country="DE", timezone="Europe/Berlin", day_starts=0, day_ends=24, extra_workdays=(day,))
    )
    midnight, next_midnight = datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 3, 30, tzinfo=BERLIN)
    assert calendar.working_time_between(midnight, next_midnight) == DAY
    assert calendar.add_working_time(midnight, DAY) == next_midnight


@pytest.mark.parametrize(
    ("country", "day", "works"),
    [
        ("SA", date(2026, 11, 27), False),
        ("SA", date(2026, 11, 29), True),
        ("DE", date(2026, 3, 8), False),
        ("DE-BY", date(2026, 1, 6), False),
        ("DE-HH", date(2026, 1, 6), True),
        (None, date(2026, 1, 1), True),
        (None, date(2026, 11, 28), False),
    ],
    ids=[
        "Friday in Riyadh",
        "Sunday in Riyadh",
        "Sunday in Berlin",
        "Epiphany in Bavaria",
        "not in Hamburg",
        "no country has no holidays",
        "no country has weekends",
    ],
)
def test_weekends_and_regions(country: str | None, day: date, works: bool) -> None:
    assert work_calendar(CalendarRule(country=country, timezone="UTC")).is_working_day(day) is works


def test_the_packs_exceptions_come_before_the_law() -> None:
    calendar = russian(extra_holidays=(date(2026, 11, 25),), extra_workdays=(date(2026, 11, 28), date(2026, 11, 4)))
    assert not calendar.is_working_day(date(2026, 11, 25))
    assert calendar.is_working_day(date(2026, 11, 28))
    assert calendar.is_working_day(date(2026, 11, 4))


def test_answers_are_in_utc() -> None:
    assert russian().add_working_time(moscow("2026-11-24T11:30"), DAY).utcoffset() == timedelta(0)


NAIVE = datetime(2026, 11, 24)  # noqa: DTZ001 - what the test is about
NEVER = WorkCalendar(rule=CalendarRule(country=None, timezone="UTC"), is_day_off=lambda _: True)


@pytest.mark.parametrize("counts", ["hours", "working-hours", "working-days"])
def test_refuses_a_moment_without_zone(counts: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        russian(counts).add_working_time(NAIVE, DAY)
    with pytest.raises(InvalidInput, match="time zone"):
        russian(counts).working_time_between(NAIVE, NAIVE)


def test_refuses_negative_time() -> None:
    with pytest.raises(InvalidInput, match="taken away"):
        russian().add_working_time(moscow("2026-11-24T11:30"), -DAY)


@pytest.mark.parametrize("counts", ["hours", "working-hours", "working-days"])
def test_refuses_a_deadline_beyond_the_calendar(counts: str) -> None:
    calendar = work_calendar(CalendarRule(country=None, timezone="UTC", counts=counts))
    with pytest.raises(InvalidInput, match="beyond"):
        calendar.add_working_time(datetime(9999, 12, 1, tzinfo=UTC), 40 * DAY)


def test_refuses_a_calendar_without_working_days() -> None:
    with pytest.raises(ConfigurationError, match="no working day"):
        NEVER.add_working_time(datetime(2026, 1, 1, tzinfo=UTC), DAY)
    with pytest.raises(ConfigurationError, match="no working day"):
        NEVER.working_time_between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("country", ["XX", "DE-QQ"])
def test_refuses_a_country_that_nobody_knows(country: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no holidays are known for '{country}'"):
        work_calendar(CalendarRule(country=country, timezone="UTC"))


def test_each_pack_has_its_calendar() -> None:
    pack = Pack(
        name="ru",
        version="1",
        digest=b"",
        service_level=ServiceLevel(decide=DAY, revoke=DAY),
        calendar=CalendarRule(country="RU", timezone="Europe/Moscow"),
        profiles=(),
    )
    calendars = HolidayCalendars((pack,))
    assert calendars.calendar_for("ru").rule == pack.calendar
    with pytest.raises(NotFound, match="'eu'"):
        calendars.calendar_for("eu")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"day_starts": 18, "day_ends": 9}, "day_ends"),
        ({"day_ends": 25}, "day_ends"),
        ({"counts": "fortnights"}, "counts"),
        ({"extra_holidays": (date(2026, 1, 1),), "extra_workdays": (date(2026, 1, 1),)}, "extra_workdays"),
    ],
    ids=["zone", "path as zone", "ends before it starts", "25 o'clock", "counts", "holiday and workday"],
)
def test_a_calendar_rule_refuses(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        CalendarRule(**{"country": "RU", "timezone": "UTC", **changes})  # type: ignore[arg-type]


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
amounts = st.integers(0, 12 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))
calendars = st.sampled_from(
    [
        russian("hours"),
        russian("working-hours"),
        russian("working-days"),
        work_calendar(CalendarRule(country="DE", timezone="Europe/Berlin", day_starts=0, day_ends=24)),
    ]
)
TICK = timedelta(microseconds=1)
ROUNDING = 3 * TICK
"""A microsecond of the clock is at most 24/9 of one in units of the working day."""


@settings(deadline=None)
@given(calendars, moments, amounts)
def test_what_was_added_lies_between(calendar: WorkCalendar, start: datetime, amount: timedelta) -> None:
    due = calendar.add_working_time(start, amount)
    assert due >= start
    assert abs(calendar.working_time_between(start, due) - amount) <= ROUNDING


@settings(deadline=None)
@given(calendars, moments, amounts)
def test_the_deadline_is_the_first_such_moment(calendar: WorkCalendar, start: datetime, amount: timedelta) -> None:
    due = calendar.add_working_time(start, amount)
    if amount:
        assert calendar.working_time_between(start, due - timedelta(milliseconds=1)) < amount


@settings(deadline=None)
@given(calendars, moments, amounts, amounts)
def test_later_start_or_more_time_is_never_due_earlier(
    calendar: WorkCalendar, start: datetime, amount: timedelta, more: timedelta
) -> None:
    due = calendar.add_working_time(start, amount)
    assert calendar.add_working_time(start, amount + more) >= due
    assert calendar.add_working_time(start + more, amount) >= due - ROUNDING


@settings(deadline=None)
@given(calendars, moments, amounts, amounts)
def test_spans_add_up(calendar: WorkCalendar, start: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = start + first, start + first + second
    parts = calendar.working_time_between(start, middle) + calendar.working_time_between(middle, end)
    assert abs(parts - calendar.working_time_between(start, end)) <= ROUNDING
    assert calendar.working_time_between(end, start) == timedelta(0)
