"""What packs say: profiles and working time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from ca_core.domain.profile import Pack, Pinned, Profile


class Profiles(Protocol):
    """Pack data, loaded and checked at start."""

    def profile(self, key: str, *, on: date) -> Profile:
        """The version in force that day; NotFound."""
        ...

    def pinned(self, by: Pinned) -> Profile:
        """Exactly the version that it names; NotFound when it is not loaded any more."""
        ...

    def profiles(self, on: date) -> Sequence[Profile]: ...

    def pack(self, name: str) -> Pack: ...

    @property
    def packs(self) -> Sequence[Pack]: ...


class WorkingTime(Protocol):
    """Calendars of the packs."""

    def calendar_for(self, pack: str) -> Calendar: ...


class Calendar(Protocol):
    def add_working_time(self, start: datetime, amount: timedelta) -> datetime: ...

    def working_time_between(self, start: datetime, end: datetime) -> timedelta: ...
