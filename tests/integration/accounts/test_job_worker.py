"""The worker: nothing lost, nothing done twice, and nothing personal in what it keeps of an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.errors import ConfigurationError, NotPermitted, TryAgain, WrongState
from ca_core.domain.work import Job, JobState
from ca_core.services import jobs
from ca_core.services.events import emit
from ca_core.services.jobs import LEASE, EventDispatch, Worker


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: how they lock and count is not the same."""
    return str(request.param)


def enqueue(desk: Any, kind: str = "test", *, max_attempts: int = 10, **arguments: object) -> None:
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue(kind, arguments, max_attempts=max_attempts)


def only(desk: Any) -> Job:
    (job,) = desk.queued("test")
    return job


def test_what_is_due_is_done_in_its_order(desk: Any) -> None:
    done: list[object] = []
    desk.handlers["test"] = lambda job: done.append(job.arguments["n"])
    for number in range(3):
        enqueue(desk, n=number)
        desk.pass_time(seconds=1)
    assert desk.work() == 3
    assert done == [0, 1, 2]
    assert {job.state for job in desk.queued("test")} == {JobState.DONE}
    assert desk.work() == 0


def test_a_job_of_a_change_that_did_not_happen_is_not_there(desk: Any) -> None:
    with suppress(RuntimeError), desk.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("test", {})
        raise RuntimeError
    assert desk.queued() == []


def test_a_failure_waits_longer_each_time_an_hour_at_most_and_in_the_end_is_dead(desk: Any) -> None:
    desk.handlers["test"] = lambda job: 1 / 0
    enqueue(desk, max_attempts=12)
    waits = []
    for _ in range(11):
        assert desk.work() == 1
        waits.append(only(desk).run_at - desk.clock())
        assert desk.work() == 0, "it is not tried before its time"
        desk.clock.advance(waits[-1])
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert waits[-1] == timedelta(hours=1)
    assert desk.work() == 1
    assert only(desk).state is JobState.DEAD
    desk.pass_time(days=9)
    assert desk.work() == 0


def test_what_says_when_to_come_back_is_not_asked_before(desk: Any) -> None:
    def handler(job: Job) -> None:
        raise TryAgain("later", retry_after=90)

    desk.handlers["test"] = handler
    enqueue(desk)
    desk.work()
    assert only(desk).run_at == desk.clock() + timedelta(seconds=90)


def test_an_error_is_kept_without_its_message(desk: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret = "Анна Образцова, 11223344595"

    def unforeseen(job: Job) -> None:
        raise ValueError(secret)

    def foreseen(job: Job) -> None:
        raise TryAgain(secret)

    desk.handlers |= {"test": unforeseen, "other": foreseen}
    enqueue(desk)
    enqueue(desk, "other")
    with caplog.at_level(logging.DEBUG):
        desk.work()
    errors = {job.kind: job.last_error for job in desk.queued()}
    assert errors == {"test": "ValueError", "other": "TryAgain (try-again)"}
    assert "unforeseen" in caplog.text, "where it happened is logged"
    assert secret not in caplog.text


def test_a_kind_that_nobody_handles_waits_and_says_so(desk: Any) -> None:
    enqueue(desk)
    desk.work()
    assert only(desk).state is JobState.FAILED
    assert only(desk).last_error == "ConfigurationError (configuration)"


def test_the_job_of_a_worker_that_died_is_taken_over(desk: Any) -> None:
    class Killed(BaseException):
        pass

    def dies(job: Job) -> None:
        raise Killed

    desk.handlers["test"] = dies
    enqueue(desk)
    with pytest.raises(Killed):
        desk.work()
    done: list[Job] = []
    desk.handlers["test"] = done.append
    assert desk.work() == 0, "its lease still runs"
    desk.pass_time(seconds=LEASE)
    assert desk.work() == 1
    assert [job.attempt for job in done] == [2]
    assert only(desk).state is JobState.DONE


def test_two_workers_do_each_job_once(desk: Any) -> None:
    done: list[object] = []
    desk.handlers["test"] = lambda job: done.append(job.arguments["n"])
    for number in range(20):
        enqueue(desk, n=number)

    def work(name: str) -> None:
        worker = Worker(desk.transactions, desk.handlers, clock=desk.clock, name=name)
        while any(job.state is not JobState.DONE for job in desk.queued("test")):
            try:
                worker.run_once()
            except TryAgain:
                continue  # the other one was writing

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(20))


def test_a_running_worker_takes_what_comes_and_stops_when_told(desk: Any) -> None:
    stop, came = threading.Event(), threading.Event()
    desk.handlers["test"] = lambda job: came.set()
    worker = Worker(desk.transactions, desk.handlers, clock=desk.clock)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    enqueue(desk)
    assert came.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_worker_outlives_a_queue_that_is_out_of_reach(desk: Any) -> None:
    stop, came = threading.Event(), threading.Event()
    failures = iter([RuntimeError("the database is away"), TryAgain("busy")])

    class Flaky:
        def begin(self, actor: Any) -> Any:
            if (error := next(failures, None)) is not None:
                raise error
            return desk.transactions.begin(actor)

        def read(self, actor: Any) -> Any:
            return desk.transactions.read(actor)

    desk.handlers["test"] = lambda job: came.set()
    enqueue(desk)
    thread = threading.Thread(target=Worker(Flaky(), desk.handlers, clock=desk.clock).run, args=(stop,))
    thread.start()
    try:
        assert came.wait(15)
    finally:
        stop.set()
        thread.join(10)


def test_a_dead_job_is_revived_by_those_who_may(desk: Any) -> None:
    desk.handlers["test"] = lambda job: 1 / 0
    enqueue(desk, max_attempts=1)
    desk.work()
    officer = desk.person("officer", Role.SECURITY_OFFICER).actor()
    administrator = desk.administrator()
    with pytest.raises(NotPermitted):
        desk.jobs.revive(administrator, only(desk).id)
    desk.jobs.revive(officer, only(desk).id)
    assert desk.actions()[-1] == "job.revived"
    with pytest.raises(WrongState):
        desk.jobs.revive(officer, only(desk).id)
    desk.handlers["test"] = lambda job: None
    assert desk.work() == 1
    assert only(desk).state is JobState.DONE


@pytest.mark.parametrize("role", [Role.SUBSCRIBER, Role.OPERATOR, Role.REVIEWER, Role.SUPPORT])
def test_the_queue_is_not_for_everybody(desk: Any, role: Role) -> None:
    actor = desk.person("somebody", role).actor()
    with pytest.raises(NotPermitted):
        desk.jobs.list(actor)


def test_the_queue_is_listed_by_state(desk: Any) -> None:
    desk.handlers["test"] = lambda job: None
    enqueue(desk)
    desk.work()
    enqueue(desk, "other")
    found = desk.jobs.list(SYSTEM_ACTOR, states=[JobState.NEW]).items
    assert [job.kind for job in found] == ["other"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "POLL", 0.01)


class Plugin:
    """Two handlers of one event; the second one can be broken."""

    def __init__(self) -> None:
        self.first_heard: list[Mapping[str, object]] = []
        self.second_heard: list[Mapping[str, object]] = []
        self.broken = False

    def first(self, event: Mapping[str, object]) -> None:
        self.first_heard.append(event)

    def second(self, event: Mapping[str, object]) -> None:
        if self.broken:
            raise RuntimeError("the plugin is broken")
        self.second_heard.append(event)


def test_an_event_reaches_every_handler_after_the_commit_and_a_broken_one_alone_is_tried_again(desk: Any) -> None:
    plugin = Plugin()
    plugin.broken = True
    desk.handlers["event"] = EventDispatch(
        desk.transactions, {"certificate.issued": [plugin.first, plugin.second], "other": [plugin.second]}
    )
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        emit(tx, "certificate.issued", certificate=7)
    desk.work()
    event = {"event": "certificate.issued", "certificate": "7"}
    assert plugin.first_heard == [event]
    assert plugin.second_heard == []
    plugin.broken = False
    desk.pass_time(minutes=1)
    desk.work()
    assert plugin.first_heard == [event]
    assert plugin.second_heard == [event]


def test_an_event_that_no_plugin_waits_for_is_done(desk: Any) -> None:
    desk.handlers["event"] = EventDispatch(desk.transactions, {})
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        emit(tx, "certificate.issued", certificate=7)
    assert desk.work() == 1
    assert [job.state for job in desk.queued("event")] == [JobState.DONE]


def test_an_event_of_a_plugin_that_was_disabled_meanwhile_is_done(desk: Any) -> None:
    plugin = Plugin()
    plugin.broken = True
    desk.handlers["event"] = EventDispatch(desk.transactions, {"x": [plugin.second]})
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        emit(tx, "x")
    desk.work()
    desk.handlers["event"] = EventDispatch(desk.transactions, {})
    desk.pass_time(minutes=1)
    assert desk.work() == 1
    assert {job.state for job in desk.queued("event")} == {JobState.DONE}


def test_two_handlers_of_one_name_stop_the_start(desk: Any) -> None:
    with pytest.raises(ConfigurationError):
        EventDispatch(desk.transactions, {"x": [lambda event: None, lambda event: None]})
