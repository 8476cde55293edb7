"""SIGKILL of the worker's process before and after every commit that its jobs make: nothing is lost, and nothing is
done twice but what is promised at least once."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text
from sqlalchemy.engine.default import DefaultDialect

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.work import JobKind, JobState, NoticeState
from ca_core.hookspecs import hookimpl
from ca_core.services.events import emit
from ca_core.services.jobs import Worker
from ca_core.services.notices import notify
from ca_core.services.ports import EventHandler
from pechatnik import plugin_registry
from pechatnik.bootstrap import build
from pechatnik.cli import program as command_line
from pechatnik.config import load
from tests.integration.kills import dying_commit


class Dying:
    """A plugin that hears of an event; in a fork it kills the process at a chosen point."""

    def __init__(self, heard: Path) -> None:
        self._heard = heard
        heard.touch()

    @hookimpl
    def ca_event_handlers(self) -> Mapping[str, EventHandler]:
        return {"thing.happened": self.hear}

    def hear(self, event: Mapping[str, object]) -> None:
        with self._heard.open("a") as file:
            file.write(f"{event['thing']}\n")

    def times(self, notice: UUID) -> int:
        return self._heard.read_text().split().count(str(notice))


def die_at(point: int) -> None:
    """Before or after the n-th thing that is committed from the first job on; odd points are before one."""
    do_commit, run_once = dying_commit(point), Worker.run_once

    def work(self: Worker) -> int:
        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
        return run_once(self)

    Worker.run_once = work  # type: ignore[method-assign]


@dataclass
class Postbox:
    """Takes what comes; counts by Message-ID."""

    received: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(envelope.content)
        return "250 OK"

    def count(self, message_id: UUID) -> int:
        return sum(f"<{message_id}@".encode() in one for one in self.received)


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def dying(postbox: tuple[Postbox, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dying:
    """The plugin, enabled for every process that starts from here on, as the relay is."""
    plugin = Dying(tmp_path / "heard")
    monkeypatch.setitem(sys.modules, "dying", plugin)
    monkeypatch.setattr(plugin_registry, "BUILTIN", {**plugin_registry.BUILTIN, "dying": "dying"})
    monkeypatch.setenv("PECHATNIK_PLUGINS__ENABLED", json.dumps([*plugin_registry.BUILTIN]))
    monkeypatch.setenv("PECHATNIK_MAIL__HOST", "127.0.0.1")
    monkeypatch.setenv("PECHATNIK_MAIL__PORT", str(postbox[1]))
    monkeypatch.setenv("PECHATNIK_MAIL__SECURITY", "none")
    return plugin


def worker_process(configuration: Path, point: int) -> int:
    """A process that runs the command ``worker --once`` and dies at the point; how it ended."""
    child = os.fork()
    if child == 0:
        try:
            die_at(point)
            os._exit(command_line.run(["-q", "-c", str(configuration), "worker", "--once"]))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.timeout(600)
def test_invariant_15_a_worker_killed_at_any_commit_loses_nothing_and_repeats_nothing_untold(
    house: Any, postbox: tuple[Postbox, int], dying: Dying, tmp_path: Path
) -> None:
    (issuing,) = [one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing"]
    configuration = tmp_path / "pechatnik.toml"
    survivor = build(load(configuration))
    jobs_done: set[UUID] = set()
    seen = Counter[str]()

    def change() -> UUID:
        """Something that a mail, an event and a list have to follow, in this order, so that every point is another
        step; the notice, after which the event is named."""
        with survivor.transactions.begin(SYSTEM_ACTOR) as tx:
            notify(tx, house.subscriber.id, "password-changed")
            notice = max(tx.jobs.notices_of(house.subscriber.id), key=lambda one: one.id).id
        with survivor.transactions.begin(SYSTEM_ACTOR) as tx:
            emit(tx, "thing.happened", thing=notice)
        with survivor.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.enqueue(JobKind.CRL, {"authority": str(issuing.id), "partition": 0})
        return notice

    def lists() -> int:
        with survivor.engine.begin() as connection:
            return int(connection.execute(text("SELECT count(*) FROM published_crls")).scalar_one())

    def effects(notice: UUID, before: int) -> dict[str, int]:
        """How often each thing was done."""
        return {"notice": postbox[0].count(notice), "event": dying.times(notice), "crl": lists() - before}

    def unfinished() -> Counter[str]:
        """Kinds of the jobs that wait or are leased; ``event`` is the one that calls the handler."""
        with survivor.transactions.read(SYSTEM_ACTOR) as tx:
            jobs = [job for job in tx.jobs.find(limit=50).items if job.id not in jobs_done]
            jobs_done.update(job.id for job in jobs if job.state is JobState.DONE)
            assert JobState.DEAD not in {job.state for job in jobs}
        return Counter(job.kind for job in jobs if job.state is not JobState.DONE)

    for point in itertools.count(1):
        before, notice = lists(), change()
        ended = worker_process(configuration, point)
        assert ended in (0, -signal.SIGKILL)
        at_death, open_jobs = effects(notice, before), unfinished()
        with survivor.transactions.read(SYSTEM_ACTOR) as tx:
            marked = tx.jobs.notice(notice).state is NoticeState.SENT
        if ended == 0:
            assert at_death == {"notice": 1, "event": 1, "crl": 1}
            assert not open_jobs
            break
        # The lease runs out, and the next worker comes.
        with survivor.engine.begin() as connection:
            connection.execute(text("UPDATE jobs SET lease_until = run_at WHERE state = 'leased'"))
        survivor.worker.run_once()
        assert not unfinished(), f"lost by a kill at point {point}"
        repeated = {kind for kind, times in effects(notice, before).items() if times != 1}
        assert repeated == {
            kind for kind, times in at_death.items() if times and open_jobs[kind] and not (kind == "notice" and marked)
        }, f"at point {point}: {effects(notice, before)}"
        assert max(effects(notice, before).values()) <= 2
        with survivor.transactions.read(SYSTEM_ACTOR) as tx:
            told = [one for one in tx.audit.records(object_id=str(notice)) if one.action == "notice.sent"]
        assert len(told) == 1, "marked once"
        seen["leased"] += open_jobs["notice"] == 1 and not at_death["notice"]
        seen["sent, not marked"] += "notice" in repeated
        seen["marked, not finished"] += open_jobs["notice"] == 1 and marked
        seen["told, not finished"] += "event" in repeated
        seen["listed, not finished"] += "crl" in repeated
    survivor.close()
    assert len(+seen) == 5, f"a step was never interrupted: {seen}"
    house.services.audit.seal(SYSTEM_ACTOR)
    assert house.services.audit.verify(SYSTEM_ACTOR).ok
