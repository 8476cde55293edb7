"""Work that is spread over processes and comes back in its order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
AHEAD = 3
"""Pieces of work that wait for each process: it never stands still, and what is read ahead stays little."""


@contextmanager
def spread_over(processes: int) -> Iterator[Callable[[Callable[[A], B], Iterable[A]], Iterable[B]]]:
    """A ``map`` whose function runs in so many processes of their own; with one, it is ``map`` itself."""
    if processes == 1:
        yield map
        return
    # Started anew: a fork would share this process's connections.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _end_with_parent) as pool:

        def spread(function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
            waiting: deque[Future[B]] = deque()
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= processes * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        try:
            yield spread
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """Nobody tells a process of the pool that its parent was killed; of Ctrl-C all are told, and the parent says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
