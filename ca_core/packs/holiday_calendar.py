"""Public holidays, weekends and moved days of a country, from the ``holidays`` package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

import holidays

from ca_core.domain.calendar import WorkCalendar
from ca_core.domain.errors import ConfigurationError, NotFound
from ca_core.domain.profile import CalendarRule, Pack

SATURDAY = 5


def work_calendar(rule: CalendarRule) -> WorkCalendar:
    """The calendar of that rule. ConfigurationError when its country is not known.

    ``country`` is an ISO 3166-1 code, or an ISO 3166-2 code (``DE-BE``) where a region has holidays of its own;
    without a country the weekend is Saturday and Sunday and nothing else is a day off.
    """
    return WorkCalendar(rule=rule, is_day_off=_days_off(rule.country) if rule.country else _is_weekend)


def _is_weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


def _days_off(country: str) -> Callable[[date], bool]:
    code, _, region = country.partition("-")

    @lru_cache(maxsize=64)
    def of_year(year: int) -> frozenset[date]:
        # A new object for each year: the package fills its objects as they are asked, which threads must not share.
        calendar = holidays.country_holidays(code, subdiv=region or None, years=year)
        first = date(year, 1, 1)
        days = (first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1))
        return frozenset(day for day in days if not calendar.is_working_day(day))

    try:
        of_year(2026)
    except NotImplementedError:
        raise ConfigurationError(
            f"calendar.country: no holidays are known for {country!r}; use a code such as 'RU' or 'DE-BE'"
        ) from None
    return lambda day: day in of_year(day.year)


class HolidayCalendars:
    """The calendars of the loaded packs, by pack name."""

    def __init__(self, packs: tuple[Pack, ...]) -> None:
        self._calendars = {pack.name: work_calendar(pack.calendar) for pack in packs}

    def calendar_for(self, pack: str) -> WorkCalendar:
        """That pack's calendar, or NotFound."""
        try:
            return self._calendars[pack]
        except KeyError:
            raise NotFound(f"no pack {pack!r} is loaded") from None
