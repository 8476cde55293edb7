"""Working time: what of the clock counts towards a deadline, by a pack's calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Protocol
from zoneinfo import ZoneInfo

from ca_core.domain.errors import ConfigurationError, InvalidInput
from ca_core.domain.profile import CalendarRule

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
LONGEST_BREAK = 366
"""Days without one working day among them after which a calendar is taken for broken."""


class CountsWorkingTime(Protocol):
    """What a deadline needs of a calendar."""

    def add_working_time(self, start: datetime, amount: timedelta) -> datetime: ...

    def working_time_between(self, start: datetime, end: datetime) -> timedelta: ...


@dataclass(frozen=True, kw_only=True)
class WorkCalendar:
    """Adds and measures working time. Moments are aware; results are in UTC.

    What an amount means follows from ``rule.counts``:

    - ``hours``: the clock; every hour counts.
    - ``working-hours``: the time inside the working hours of working days.
    - ``working-days``: the same time, in units of the working day: ``timedelta(days=3)`` is three full working
      days whatever their length, so that within working hours the answer is the same clock time three working
      days later. A day on which the clocks change is one day too.
    """

    rule: CalendarRule
    is_day_off: Callable[[date], bool]
    """Whether people have that day off by law: weekends, holidays, moved days off; not moved working days."""

    def is_working_day(self, day: date) -> bool:
        """Whether work is done on that day; the pack's own exceptions come before the law."""
        if day in self.rule.extra_workdays:
            return True
        return day not in self.rule.extra_holidays and not self.is_day_off(day)

    def add_working_time(self, start: datetime, amount: timedelta) -> datetime:
        """The first moment at which ``amount`` of working time has passed since ``start``.

        InvalidInput for a naive moment, a negative amount or one beyond the calendar's end;
        ConfigurationError when no working day comes for a year.
        """
        start = _utc(start)
        if amount < timedelta(0):
            raise InvalidInput("working time can only be added, not taken away")
        try:
            if self.rule.counts == "hours" or not amount:
                return start + amount
            left = Fraction(amount // TICK)
            for opens, closes in self._working_periods(start):
                begins = max(start, opens)
                rate = self._rate(opens, closes)
                if (worth := (closes - begins) // TICK * rate) >= left:
                    return begins + round(left / rate) * TICK
                left -= worth
        except OverflowError:
            pass
        raise InvalidInput("the deadline lies beyond the end of the calendar")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time passes from ``start`` to ``end``; zero when ``end`` is not later.

        InvalidInput for a naive moment; ConfigurationError when no working day comes for a year.
        """
        start, end = _utc(start), _utc(end)
        if end <= start:
            return timedelta(0)
        if self.rule.counts == "hours":
            return end - start
        total = Fraction(0)
        for opens, closes in self._working_periods(start):
            if opens >= end:
                break
            total += (min(end, closes) - max(start, opens)) // TICK * self._rate(opens, closes)
        return round(total) * TICK

    def _working_periods(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing of each working day that is not over at the moment, in UTC."""
        zone = ZoneInfo(self.rule.timezone)
        day = moment.astimezone(zone).date()
        days_off = 0
        while day < date.max:
            if self.is_working_day(day):
                days_off = 0
                opens, closes = (_at_hour(day, hour, zone) for hour in (self.rule.day_starts, self.rule.day_ends))
                if closes > moment:
                    yield opens, closes
            else:
                days_off += 1
                if days_off > LONGEST_BREAK:
                    raise ConfigurationError(
                        f"the calendar has no working day in the year before {day}; check its country and holidays"
                    )
            day += DAY

    def _rate(self, opens: datetime, closes: datetime) -> Fraction:
        """What a moment of that working day counts for; exact, so that no microsecond moves a deadline a day on."""
        return Fraction(DAY // TICK, (closes - opens) // TICK) if self.rule.counts == "working-days" else Fraction(1)


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise InvalidInput("a moment needs its time zone")
    return moment.astimezone(UTC)


def _at_hour(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """That hour of the day on the clocks of the zone; hour 24 is the next midnight."""
    if hour == 24:
        day, hour = day + DAY, 0
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)
