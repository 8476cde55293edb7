"""The clock of a decision: runs from submission, pauses while the applicant has to act, tells how pressing it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from ca_core.domain.calendar import CountsWorkingTime
from ca_core.domain.errors import WrongState


class DeadlineStage(StrEnum):
    """How pressing it is; the values are those of ``Application.clock_stage``."""

    ON_TIME = "on-time"
    HALF = "half"
    """Half of the time is left, or less."""
    QUARTER = "quarter"
    """A quarter of the time is left, or less."""
    OVERDUE = "overdue"


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A running or paused clock. Its fields are those that an application stores."""

    allowance: timedelta
    """Working time from start to due; the pack's ``service_level.decide``."""
    consumed: timedelta = timedelta(0)
    """Working time used before the last pause."""
    running_since: datetime | None = None
    """When it was started or resumed last; None while it is paused."""

    @classmethod
    def start(cls, allowance: timedelta, *, at: datetime) -> Self:
        """A clock that runs from that moment."""
        return cls(allowance=allowance, running_since=at)

    def pause(self, *, at: datetime, calendar: CountsWorkingTime) -> Self:
        """Stop; what ran until now is used up. WrongState when it does not run."""
        if self.running_since is None:
            raise WrongState("the clock is paused already")
        return replace(self, consumed=self.used(at, calendar=calendar), running_since=None)

    def resume(self, *, at: datetime) -> Self:
        """Run again with what is left. WrongState when it runs."""
        if self.running_since is not None:
            raise WrongState("the clock runs already")
        return replace(self, running_since=at)

    def used(self, now: datetime, *, calendar: CountsWorkingTime) -> timedelta:
        """Working time used until now."""
        if self.running_since is None:
            return self.consumed
        return self.consumed + calendar.working_time_between(self.running_since, now)

    def remaining(self, now: datetime, *, calendar: CountsWorkingTime) -> timedelta:
        """Working time left; negative when overdue."""
        return self.allowance - self.used(now, calendar=calendar)

    def due_at(self, *, calendar: CountsWorkingTime) -> datetime | None:
        """When the time is up if nothing pauses it; None while it is paused."""
        if self.running_since is None:
            return None
        left = max(self.allowance - self.consumed, timedelta(0))
        return calendar.add_working_time(self.running_since, left)

    def stage(self, now: datetime, *, calendar: CountsWorkingTime) -> DeadlineStage:
        """How pressing it is now."""
        left = self.remaining(now, calendar=calendar)
        if left <= timedelta(0):
            return DeadlineStage.OVERDUE
        if left <= self.allowance / 4:
            return DeadlineStage.QUARTER
        if left <= self.allowance / 2:
            return DeadlineStage.HALF
        return DeadlineStage.ON_TIME
