"""Killing a process where it commits."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.default import DefaultDialect


def dying_commit(point: int) -> Callable[[Any, Any], None]:
    """A ``DefaultDialect.do_commit`` that kills its process at the n-th moment before or after a commit; odd points are
    before one."""
    points, commit = itertools.count(1), DefaultDialect.do_commit

    def reach() -> None:
        if next(points) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def do_commit(self: Any, connection: Any) -> None:
        reach()
        commit(self, connection)
        reach()

    return do_commit
