"""The three-day clock of an application, by its pack's calendar and service level."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ca_core.domain.application import Application
from ca_core.domain.deadline import Deadline, DeadlineStage
from ca_core.services.ports import Profiles, WorkingTime


class DecisionClock:
    """Starts, stops and reads it; every change is a new application."""

    def __init__(self, profiles: Profiles, working_time: WorkingTime) -> None:
        self._profiles = profiles
        self._working_time = working_time

    def start(self, application: Application, *, at: datetime) -> Application:
        """Running from that moment with what is left."""
        deadline = self._deadline(application).resume(at=at)
        calendar = self._working_time.calendar_for(_pack(application))
        return replace(application, clock_running_since=at, due_at=deadline.due_at(calendar=calendar))

    def stop(self, application: Application, *, at: datetime) -> Application:
        """Paused or ended; what ran is used up. One that does not run stays as it is."""
        if application.clock_running_since is None:
            return application
        calendar = self._working_time.calendar_for(_pack(application))
        deadline = self._deadline(application).pause(at=at, calendar=calendar)
        return replace(application, clock_running_since=None, clock_consumed=deadline.consumed, due_at=None)

    def stage(self, application: Application, now: datetime) -> DeadlineStage:
        """How pressing it is."""
        calendar = self._working_time.calendar_for(_pack(application))
        return self._deadline(application).stage(now, calendar=calendar)

    def _deadline(self, application: Application) -> Deadline:
        return Deadline(
            allowance=self._profiles.pack(_pack(application)).service_level.decide,
            consumed=application.clock_consumed,
            running_since=application.clock_running_since,
        )


def _pack(application: Application) -> str:
    return application.profile.partition("/")[0]
