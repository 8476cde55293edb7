"""The program while it runs: readiness, health, rounds, a worker that does what was queued."""

from __future__ import annotations

import shutil
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy
from structlog.testing import capture_logs
from werkzeug.test import Client

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import KeyUnavailable, TryAgain
from ca_core.domain.work import JobKind
from pechatnik.health import health_of
from pechatnik.readiness import examine
from pechatnik.rounds import Rounds


@pytest.fixture
def database() -> str:
    """What runs here knows no database."""
    return "sqlite"


def failing(house: Any) -> set[str]:
    return {finding.name for finding in examine(house.program) if not finding.ok}


def test_a_sound_authority_is_ready(house: Any) -> None:
    assert failing(house) == set()


def test_each_fault_is_named(house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def pulled(*_: object) -> Any:
            raise KeyUnavailable("the token was pulled")

        patch.setattr(house.program.keys, "signer", pulled)
        assert failing(house) == {"key root", "key issuing", "key ocsp-1"}
    with monkeypatch.context() as patch:
        patch.setattr("ca_core.storage.schema.check", lambda _: ["the trigger x is missing"])
        assert failing(house) == {"database"}
    house.submit(house.apply())
    clock.advance(timedelta(minutes=20))
    assert failing(house) == {"queue", "clock"}
    house.program.work(once=True)
    assert failing(house) == {"clock"}
    clock.advance(timedelta(days=8))
    assert failing(house) == {"clock", "crl root", "crl issuing", "recheck"}
    house.program.crls.tick()
    assert failing(house) == {"clock", "recheck"}
    house.services.recheck.run(clock(), clock())
    assert failing(house) == {"clock"}
    clock.advance(timedelta(days=30))
    assert "certificate ocsp-1" in failing(house)
    assert house.services.authorities.renew_responders(SYSTEM_ACTOR) == 1
    assert house.services.authorities.renew_responders(SYSTEM_ACTOR) == 0
    assert "certificate ocsp-1" not in failing(house)


def test_a_check_that_breaks_is_a_finding(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ca_core.storage.schema.check", lambda _: 1 / 0)
    assert failing(house) == {"database"}


def test_health_over_http(house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(health_of(house.program, version="9"))
    assert client.get("/livez").json == {"status": "ok"}
    assert client.get("/version").json == {"version": "9"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.headers["Cache-Control"] == "no-store"
    monkeypatch.setattr("ca_core.storage.schema.check", lambda _: ["behind"])
    assert client.get("/readyz").status_code == 200, "told again for some seconds: a look signs with every key"
    clock.advance(timedelta(seconds=6))
    assert client.get("/readyz").status_code == 503
    metrics = client.get("/metrics").text
    for name in ("pechatnik_audit_records", "pechatnik_crl_next_update_seconds", "pechatnik_applications"):
        assert name in metrics
    assert client.get("/other").status_code == 404


def test_invariant_15_the_worker_does_what_the_change_queued(house: Any, clock: Any) -> None:
    certificate = house.issued()
    before = house.program.crls.published(SYSTEM_ACTOR, "issuing", 0).number
    house.services.revocation.revoke(
        house.officer, certificate.id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    clock.advance(timedelta(minutes=2))
    house.program.worker.run_once()
    after = house.program.crls.published(SYSTEM_ACTOR, "issuing", 0)
    assert after.number > before
    assert after.entries == 1
    number = after.number
    assert house.program.worker.run_once() == 0
    assert house.program.crls.published(SYSTEM_ACTOR, "issuing", 0).number == number


def test_no_kind_of_job_is_without_a_handler(house: Any) -> None:
    """What a job without its arguments fails with is a handler's own fault."""
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        for kind in JobKind:
            tx.jobs.enqueue(kind, {})
    house.program.worker.run_once()
    tried = {one.kind: one.last_error for one in house.services.jobs.list(SYSTEM_ACTOR).items if not one.arguments}
    assert tried.keys() == set(JobKind)
    assert not any("ConfigurationError" in error for error in tried.values())


def test_invariant_8_lists_are_rebuilt_by_timer(house: Any, clock: Any) -> None:
    before = house.program.crls.published(SYSTEM_ACTOR, "issuing", 0).number
    assert house.program.crls.tick() == 0
    clock.advance(timedelta(hours=25))
    assert house.program.crls.tick() == 2
    assert house.program.crls.published(SYSTEM_ACTOR, "issuing", 0).number == before + 1


def test_yesterday_is_checked_again_once(house: Any, clock: Any) -> None:
    house.issued()
    clock.advance(timedelta(days=1))
    for _ in range(2):
        house.program.rounds._next.clear()
        house.program.work(once=True)
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        done = [one for one in tx.audit.records() if one.action == "recheck.done"]
    assert len(done) == 1
    assert done[0].details["faults"] == []
    assert done[0].details["record"] == []


def test_the_worker_seals_the_record_and_logs_where_it_ends(house: Any) -> None:
    with capture_logs() as logged:
        house.program.work(once=True)
    seal = house.services.audit.last_seal(SYSTEM_ACTOR)
    [line] = [one for one in logged if one["event"] == "audit chain sealed"]
    assert (line["sequence"], line["digest"]) == (seal.sequence, seal.digest.hex())
    assert line["signature"] == seal.signature.hex()


def test_remembered_answers_and_sessions_are_forgotten_in_time(house: Any, clock: Any) -> None:
    house.services.idempotency.begin(house.subscriber, "key", bytes(32))
    house.services.sessions.log_in(None, house.services.accounts.get(SYSTEM_ACTOR, house.subscriber.id))
    clock.advance(timedelta(hours=25))
    house.program.work(once=True)
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.accounts.forget_before(clock()) == 0
        assert tx.accounts.delete_sessions(expired_at=clock()) == 0


def test_one_round_that_fails_does_not_stop_the_others_and_none_runs_before_its_time(clock: Any) -> None:
    ran: list[str] = []

    def fails() -> None:
        ran.append("fails")
        raise ZeroDivisionError

    def refuses() -> None:
        ran.append("refuses")
        raise TryAgain("not now")

    rounds = Rounds(
        monotonic=lambda: clock().timestamp(),
        reach=lambda: None,
        rounds={
            "fails": (timedelta(minutes=1), fails),
            "refuses": (timedelta(minutes=1), refuses),
            "works": (timedelta(hours=1), lambda: ran.append("works")),
        },
    )
    assert rounds.run_due() == 3
    assert rounds.run_due() == 0
    clock.advance(timedelta(minutes=1))
    assert rounds.run_due() == 2
    assert ran == ["fails", "refuses", "works", "fails", "refuses"]
    stop = threading.Event()
    stop.set()
    rounds.run(stop)


def test_a_wall_clock_set_back_holds_no_round_up(open_house: Any, clock: Any) -> None:
    elapsed = [0.0]
    ran: list[float] = []
    rounds = Rounds(
        monotonic=lambda: elapsed[0],
        reach=lambda: None,
        rounds={"crl": (timedelta(minutes=1), lambda: ran.append(elapsed[0]))},
    )
    rounds.run_due()
    elapsed[0] = 59.0
    assert rounds.run_due() == 0
    elapsed[0] = 60.0
    assert rounds.run_due() == 1
    program = open_house().program
    assert program.rounds.run_due() > 0
    clock.advance(timedelta(days=2))
    assert program.rounds.run_due() == 0, "rounds have periods of their own"
    clock.advance(-timedelta(days=2))
    program.rounds._monotonic = lambda: time.monotonic() + 61
    assert program.rounds.run_due() >= 3


def test_a_database_file_that_is_gone_or_another_acknowledges_nothing(house: Any, tmp_path: Path) -> None:
    file = Path(house.program.engine.url.database)
    away = tmp_path / "away.sqlite"
    file.rename(away)
    for replaced in (False, True):
        if replaced:
            shutil.copyfile(away, file)
        with pytest.raises(TryAgain, match="moved away or replaced") as refusal:
            house.apply()
        assert refusal.value.retry_after == 60
        assert {"database", "storage"} <= failing(house)
        assert house.program.rounds.run_due() == 0
        assert not house.program.rounds._next, "no round counts as made"
    answer = Client(health_of(house.program, version="9")).get("/readyz")
    assert answer.status_code == 503
    assert "moved away or replaced" in answer.json["checks"]["database"]["detail"]
    away.rename(file)
    assert not {"database", "storage"} & failing(house), "put back, it is the one that was opened"
    assert house.program.rounds.run_due() > 0
    house.apply()


def test_a_disk_without_room_or_writes_is_not_ready(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
        assert "storage" in failing(house)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise sqlalchemy.exc.OperationalError("COMMIT", {}, Exception("database or disk is full"))

        patch.setattr("sqlalchemy.engine.default.DefaultDialect.do_commit", full)
        assert "storage" in failing(house)
    assert "storage" not in failing(house)
