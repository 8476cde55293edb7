"""Many callers, one transaction: a commit costs more than the work of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

from ca_core.domain.access import SYSTEM_ACTOR, Actor
from ca_core.domain.errors import TryAgain
from ca_core.services.ports import Transaction

Done = TypeVar("Done")


class Case(Generic[Done]):
    """One of them on its way, until it has an outcome: what was done, or the error that it alone would have met. Also a
    fault of the program is that case's alone, and raised to who asked: nobody keeps others from being served."""

    outcome: Done | Exception | None = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """What is refused in this block is refused for this case alone; so it writes only once nothing is refused."""
        try:
            yield
        except Exception as failure:
            self.outcome = failure


C = TypeVar("C", bound=Case)  # type: ignore[type-arg]  # whatever its outcome


def still_open(cases: Sequence[C]) -> Sequence[C]:
    """Those without an outcome."""
    return [case for case in cases if case.outcome is None]


def together(
    begin: Callable[[Actor], AbstractContextManager[Transaction]],
    cases: Sequence[C],
    step: Callable[[Transaction, Sequence[C]], None],
) -> None:
    """Take the step for all of them in one transaction; when that is refused, in one for each, so that the one at fault
    fails alone."""
    if not cases:
        return
    try:
        with begin(SYSTEM_ACTOR) as tx:
            step(tx, cases)
    except Exception as failure:
        waiting = still_open(cases)
        if len(cases) > 1 and not isinstance(failure, TryAgain):
            for case in waiting:
                together(begin, [case], step)
        else:
            for case in waiting:
                case.outcome = failure
