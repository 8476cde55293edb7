"""Answers of a copy, as long as it is known to be like the core."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ca_core.domain.errors import TryAgain
from ocsp.http import ReadyResponses
from ocsp.ready import ReadyAnswers
from ocsp.replica import Replica


class Freshness:
    """Whether the core was heard within the bound. What it said then holds that long, even if more is not heard: so a
    revocation is hidden no longer than ``lag`` (docs/operations.md)."""

    def __init__(self, replica: Replica, *, lag: timedelta, uptime: Callable[[], float]) -> None:
        """``uptime`` tells seconds since the machine was started: a clock that people set would set the bound, too."""
        self._replica = replica
        self._lag = lag.total_seconds()
        self._uptime = uptime
        self._heard = float("-inf")
        self._looked = float("-inf")

    def age(self) -> float | None:
        """Seconds since the core was heard; None when it was not since this machine was started, or the copy is not
        whole."""
        heard = self._replica.heard()
        return None if heard is None else self._uptime() - heard

    def holds(self) -> bool:
        now = self._uptime()
        if now - self._looked >= 1:  # the copy is looked at once a second, not with every question
            self._looked = now
            try:
                self._heard = self._replica.heard() or float("-inf")
            except TryAgain:
                return False
        return now - self._heard <= self._lag


class FreshResponses(ReadyResponses):
    """None for everything while the copy may be old."""

    def __init__(self, ready: ReadyAnswers, freshness: Freshness) -> None:
        super().__init__(ready)
        self._freshness = freshness

    def get(self, path: bytes, *, seen: bytes | None, more: bytes) -> bytes | None:
        return super().get(path, seen=seen, more=more) if self._freshness.holds() else None

    def post(self, request: bytes, *, more: bytes) -> bytes | None:
        return super().post(request, more=more) if self._freshness.holds() else None
