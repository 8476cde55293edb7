"""What the worker does by the clock: each round in its turn, and one that fails does not stop the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from ca_core.domain.errors import CaError

PAUSE = 5.0
"""Seconds between two looks at what is due."""

log = structlog.get_logger("rounds")


class Rounds:
    """Named tasks with their periods. Every one may run at any time and twice: what it does, it does once.

    ``monotonic`` counts seconds and is never set back, as a wall clock is: a round would wait until the old time is
    reached again. ``reach`` raises while the database cannot be worked with; no round is made then."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        reach: Callable[[], None],
        rounds: Mapping[str, tuple[timedelta, Callable[[], object]]],
    ) -> None:
        self._monotonic = monotonic
        self._reach = reach
        self._rounds = rounds
        self._next: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; every round runs at once at the beginning."""
        while not stop.is_set():
            self.run_due()
            stop.wait(PAUSE)

    def run_due(self) -> int:
        """Run what is due; returns how many rounds were made."""
        try:
            self._reach()
        except CaError as error:
            log.error("rounds stand still", error=error.code, detail=error.detail)
            return 0
        made = 0
        for name, (every, round_) in self._rounds.items():
            now = self._monotonic()
            if self._next.get(name, now) > now:
                continue
            self._next[name] = now + every.total_seconds()
            made += 1
            try:
                round_()
            except CaError as error:
                log.warning("round failed", round=name, error=error.code, detail=error.detail)
            except Exception:  # whatever it is, the other rounds have to go on
                log.exception("round failed", round=name)
        return made
