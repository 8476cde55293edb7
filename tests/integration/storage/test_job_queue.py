"""Invariant 15: a job belongs to the transaction of its change, to one worker at a time, and is never lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import NotFound
from ca_core.domain.work import Job, JobState
from ca_core.storage.transactions import Transactions


def enqueue(transactions: Transactions, *keys: str | None, **settings: Any) -> None:
    with transactions.begin(SYSTEM_ACTOR) as tx:
        for key in keys:
            tx.jobs.enqueue("test", {"key": key}, dedupe_key=key, **settings)


def lease(transactions: Transactions, worker: str = "a") -> Job | None:
    with transactions.begin(SYSTEM_ACTOR) as tx:
        return tx.jobs.lease(worker, seconds=60)


def stored(transactions: Transactions, job: Job) -> Job:
    with transactions.read(SYSTEM_ACTOR) as tx:
        return tx.jobs.get(job.id)


def test_invariant_15_a_job_is_rolled_back_with_its_change(transactions: Transactions) -> None:
    def fails() -> None:
        with transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.enqueue("test", {}, dedupe_key="once")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert lease(transactions) is None
    enqueue(transactions, "once")
    assert lease(transactions) is not None, "what was rolled back does not count as known"


def test_invariant_15_the_same_work_is_queued_once_for_ever(transactions: Transactions) -> None:
    enqueue(transactions, "once", "once", None, None)
    enqueue(transactions, "once")
    done = 0
    while job := lease(transactions):
        done += 1
        with transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.finish(job)
    enqueue(transactions, "once")
    assert done == 3
    assert lease(transactions) is None


def test_invariant_15_workers_at_once_never_get_the_same_job(transactions: Transactions) -> None:
    enqueue(transactions, *(f"job-{number}" for number in range(24)))
    taken: list[Job] = []
    failures: list[BaseException] = []
    together = threading.Barrier(6)

    def work(name: str) -> None:
        try:
            together.wait(timeout=30)
            while job := lease(transactions, name):
                taken.append(job)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(taken) == len({job.id for job in taken}) == 24


def test_jobs_come_in_the_order_in_which_they_are_due_and_not_before(transactions: Transactions, clock: Any) -> None:
    for hours in (3, 1, 2):
        enqueue(transactions, f"{hours}", run_at=clock() + timedelta(hours=hours))
    with transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.jobs.oldest_due() is None
    assert lease(transactions) is None
    due = clock() + timedelta(hours=1)
    clock.advance(timedelta(hours=3))
    with transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.jobs.oldest_due() == due
    assert [lease(transactions).dedupe_key for _ in range(3)] == ["1", "2", "3"]  # type: ignore[union-attr]


def test_invariant_15_a_lost_lease_changes_nothing(transactions: Transactions, clock: Any) -> None:
    enqueue(transactions, "once")
    lost = lease(transactions, "slow")
    assert lost is not None
    clock.advance(timedelta(seconds=60))
    taken = lease(transactions, "fast")
    assert taken is not None
    assert (taken.id, taken.attempt, taken.worker) == (lost.id, 2, "fast")
    with transactions.begin(SYSTEM_ACTOR) as tx:
        assert not tx.jobs.extend(lost, seconds=600)
        tx.jobs.finish(lost)
        tx.jobs.fail(lost, "Slow", retry_at=tx.now)
    assert stored(transactions, taken) == taken
    with transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.jobs.extend(taken, seconds=600)
    clock.advance(timedelta(seconds=599))
    assert lease(transactions) is None, "the heartbeat keeps it"
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.finish(taken)
        assert not tx.jobs.extend(taken, seconds=600)
    assert stored(transactions, taken).state is JobState.DONE


def test_a_failing_job_is_tried_again_until_it_is_dead_and_lives_when_revived(
    transactions: Transactions, clock: Any
) -> None:
    enqueue(transactions, "once", max_attempts=2)
    for state in (JobState.FAILED, JobState.DEAD):
        job = lease(transactions)
        assert job is not None
        with transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.fail(job, "x" * 10_000, retry_at=tx.now + timedelta(minutes=1))
        assert stored(transactions, job).state is state
        assert stored(transactions, job).last_error == "x" * 500
        assert lease(transactions) is None, "not before its time"
        clock.advance(timedelta(minutes=1))
    assert lease(transactions) is None
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.revive(job.id)
    again = lease(transactions)
    assert again is not None
    assert (again.id, again.attempt, again.finished_at) == (job.id, 1, None)
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.revive(again.id)
    assert stored(transactions, again) == again, "only a dead one is revived"


def test_a_job_that_kills_its_workers_is_dead_in_the_end(transactions: Transactions, clock: Any) -> None:
    enqueue(transactions, "deadly", max_attempts=2)
    enqueue(transactions, "harmless", run_at=clock() + timedelta(hours=1))
    for _ in range(2):
        job = lease(transactions)
        clock.advance(timedelta(minutes=1))
    assert job is not None
    clock.advance(timedelta(hours=1))
    following = lease(transactions)
    assert following is not None
    assert following.dedupe_key == "harmless"
    assert stored(transactions, job).state is JobState.DEAD


def test_the_queue_is_listed_in_pages_newest_first(transactions: Transactions, clock: Any) -> None:
    for number in range(7):
        enqueue(transactions, f"{number}")
        clock.advance(timedelta(milliseconds=2))
    seen: list[str | None] = []
    cursor = None
    while True:
        with transactions.read(SYSTEM_ACTOR) as tx:
            page = tx.jobs.find(cursor=cursor, limit=3, states=(JobState.NEW,))
        seen += [job.dedupe_key for job in page.items]
        enqueue(transactions, f"late-{len(seen)}")
        clock.advance(timedelta(milliseconds=2))
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [str(number) for number in reversed(range(7))], "what is added meanwhile shifts nothing"
    with transactions.read(SYSTEM_ACTOR) as tx:
        assert not tx.jobs.find(states=(JobState.DEAD,)).items
        with pytest.raises(NotFound):
            tx.jobs.get(tx.new_id())
