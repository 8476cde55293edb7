"""Several processes at once, and killed ones: no number twice, no time out of order, nothing half done."""

from __future__ import annotations

import itertools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from tests.integration.kills import dying_commit
from tests.integration.timestamps.conftest import Office

PROCESSES, ROUNDS, TOGETHER = 2, 15, 3


def beside(work: Callable[[], object]) -> int:
    """A process that does it; its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(99)
    return child


def ended(child: int) -> int:
    return os.waitpid(child, 0)[1]


def test_two_processes_never_give_a_number_twice_nor_a_time_out_of_order(office: Office) -> None:
    office.house.program.engine.dispose()

    def stamp() -> None:
        for _ in range(ROUNDS):
            assert all(isinstance(one, bytes) for one in office.stamp_all(TOGETHER, ordering=True))

    children = [beside(stamp) for _ in range(PROCESSES)]
    assert [ended(child) for child in children] == [0] * PROCESSES
    rows = office.rows()
    assert [row.sequence for row in rows] == list(range(1, PROCESSES * ROUNDS * TOGETHER + 1))
    assert len({row.serial for row in rows}) == len(rows)
    assert all(later.gen_time > earlier.gen_time for earlier, later in itertools.pairwise(rows))
    assert office.faults() == ()


def test_a_killed_process_leaves_whole_batches_and_the_next_goes_on(office: Office) -> None:
    office.house.program.engine.dispose()

    def stamp(point: int) -> Any:
        DefaultDialect.do_commit = dying_commit(point)  # type: ignore[method-assign]
        return office.stamp_all(TOGETHER)

    before = 0
    for point in itertools.count(1):
        status = ended(beside(lambda point=point: stamp(point)))  # type: ignore[misc]
        rows = office.rows()
        assert len(rows) - before in (0, TOGETHER)
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        office.house.program.engine.dispose()
        before = len(rows)
        if not os.WIFSIGNALED(status):
            break
    assert status == 0
    assert point == 3, "killed before the one commit, and after it"
    assert office.faults() == ()
