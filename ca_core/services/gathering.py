"""Gathering: whoever comes while others are served is served together with the next (group commit)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ca_core.domain.errors import TryAgain

In = TypeVar("In")
Out = TypeVar("Out")


TOGETHER = 64
"""That share one transaction, at most."""
WAITING = 512
"""Callers that may wait for their turn; whoever comes then is told to come again."""


@dataclass(eq=False)
class _Place(Generic[In, Out]):
    """One caller in the queue."""

    item: In
    turn: threading.Event = field(default_factory=threading.Event)
    """Set when there is an outcome, or when this caller is to serve the next ones."""
    outcome: Out | None = None
    served: bool = False


class Gathering(Generic[In, Out]):
    """Runs ``serve`` in the thread of one of the callers, for all that wait. A caller who comes alone waits for nobody;
    the others wait for those before them, so that what is added to a caller's time is one run of ``serve`` at most."""

    def __init__(
        self, serve: Callable[[Sequence[In]], Sequence[Out]], *, together: int = TOGETHER, waiting: int = WAITING
    ) -> None:
        """``serve`` gives an outcome for each item, in their order, and takes ``together`` of them at most. TryAgain to
        whoever would be the ``waiting``-th to wait."""
        self._serve = serve
        self._together = together
        self._waiting = waiting
        self._lock = threading.Lock()
        self._queue: deque[_Place[In, Out]] = deque()
        self._serving = False

    def put(self, item: In) -> Out:
        """The outcome for this item. TryAgain when too many wait, or when ``serve`` failed while another's thread ran
        it."""
        place: _Place[In, Out] = _Place(item)
        with self._lock:
            if len(self._queue) >= self._waiting:
                raise TryAgain("too many wait for the same; try again", retry_after=1)
            self._queue.append(place)
            waits, self._serving = self._serving, True
        if waits:
            place.turn.wait()
        if not place.served:
            self._run()
        if place.outcome is None:
            raise TryAgain("this was to be done together with other work, which failed; try again", retry_after=1)
        return place.outcome

    def _run(self) -> None:
        """Serve the first in the queue, who are the caller itself and those behind; then hand over."""
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(self._together, len(self._queue)))]
        try:
            for place, outcome in zip(batch, self._serve([place.item for place in batch]), strict=True):
                place.outcome = outcome
        finally:
            for place in batch:
                place.served = True
                place.turn.set()
            with self._lock:
                self._serving = bool(self._queue)
                if self._queue:
                    self._queue[0].turn.set()
