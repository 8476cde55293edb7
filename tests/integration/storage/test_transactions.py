"""All or nothing; one chain of records; and no error of the driver outside."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Engine

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Visibility
from ca_core.domain.audit import GENESIS, AuditEvent, record_digest
from ca_core.domain.errors import (
    CaError,
    ConfigurationError,
    IntegrityAlarm,
    InvalidInput,
    NotFound,
    StaleVersion,
    TryAgain,
)
from ca_core.storage.engine import engine_for
from ca_core.storage.transactions import Transactions


def test_invariant_7_a_rollback_leaves_neither_row_nor_record(shelf: Any) -> None:
    def half_way() -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.enqueue("x", {})
            tx.audit.record("x.done", "x", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.audit.head() == (0, GENESIS)
        assert not tx.jobs.find().items


def test_invariant_7_many_writers_make_one_chain_without_gaps(shelf: Any) -> None:
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(15):
                with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
                    tx.audit.record("x.done", name, number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        records = tx.audit.records()
    assert [one.sequence for one in records] == list(range(1, 91))
    previous = GENESIS
    for one in records:
        event = AuditEvent(
            at=one.at, actor=one.actor, actor_name=one.actor_name, action=one.action, object_kind=one.object_kind,
            object_id=one.object_id, details=one.details,
        )  # fmt: skip
        assert one.previous == previous
        assert one.digest == record_digest(event, sequence=one.sequence, previous=previous, key_id=one.key_id)
        previous = one.digest


def test_a_reading_transaction_writes_nothing(shelf: Any) -> None:
    with pytest.raises(CaError), shelf.transactions.read(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("x", {})
    with pytest.raises(IntegrityAlarm), shelf.transactions.read(SYSTEM_ACTOR) as tx:
        tx.audit.record("x", "x", 1)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("x", {})
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert len(tx.jobs.find().items) == 1


def test_replace_is_compare_and_set(shelf: Any) -> None:
    application = shelf.application(shelf.account("a"), shelf.centre("C"))
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.applications.replace(replace(application, note="first")).version == 2
    with pytest.raises(StaleVersion), shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.replace(replace(application, note="second"))


def test_a_database_that_is_not_there_is_a_temporary_condition(tmp_path: Path, symmetric_keys: Any, clock: Any) -> None:
    engine = engine_for(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}")
    gone = Transactions(engine, clock=clock, entropy=lambda n: bytes(n), audit_keys=symmetric_keys)
    with pytest.raises(TryAgain, match="busy or out of reach"), gone.read(SYSTEM_ACTOR):
        pass


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "postgresql+asyncpg://x/y", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        engine_for(url)


def test_invariant_13_rows_are_seen_by_owner_centre_or_all(shelf: Any) -> None:
    here, there = shelf.centre("C-1"), shelf.centre("C-2")
    anna, boris = shelf.account("anna"), shelf.account("boris")
    application = shelf.application(anna, here)
    document = shelf.document(application)
    certificate = shelf.issued()
    sees = {
        "owner": Visibility(owner=anna),
        "centre": Visibility(centres=frozenset({here})),
        "everything": EVERYTHING,
    }
    blind = {
        "stranger": Visibility(owner=boris),
        "other centre": Visibility(centres=frozenset({there})),
        "nobody": Visibility(),
    }
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for seen_by in sees.values():
            assert tx.applications.get(application.id, seen_by=seen_by).id == application.id
            assert tx.applications.by_number(application.number, seen_by=seen_by).id == application.id
            assert tx.documents.get(document.id, seen_by=seen_by).id == document.id
            assert tx.applications.count(seen_by=seen_by) == len(tx.applications.find(seen_by=seen_by).items) == 1
        for seen_by in blind.values():
            for read in (
                lambda seen_by=seen_by: tx.applications.get(application.id, seen_by=seen_by),
                lambda seen_by=seen_by: tx.applications.by_number(application.number, seen_by=seen_by),
                lambda seen_by=seen_by: tx.documents.get(document.id, seen_by=seen_by),
                lambda seen_by=seen_by: tx.certificates.get(certificate.id, seen_by=seen_by),
                lambda seen_by=seen_by: tx.certificates.by_serial(certificate.serial, seen_by=seen_by),
            ):
                with pytest.raises(NotFound):
                    read()
            assert tx.applications.count(seen_by=seen_by) == len(tx.applications.find(seen_by=seen_by).items) == 0
            assert not tx.certificates.find(seen_by=seen_by).items


def test_pages_have_no_gaps_and_no_repeats(shelf: Any, clock: Any) -> None:
    owner, centre = shelf.account("a"), shelf.centre("C")
    made = [
        shelf.application(owner, centre, due_at=clock() + timedelta(hours=5 - n % 3) if n % 4 else None).id
        for n in range(11)
    ]
    for order in ("created", "due"):
        seen, cursor = [], None
        while True:
            with shelf.transactions.read(SYSTEM_ACTOR) as tx:
                page = tx.applications.find(seen_by=EVERYTHING, cursor=cursor, limit=3, order=order)
            seen += [one.id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == sorted(made), order
        assert len(seen) == len(set(seen))


def test_wildcards_in_a_search_are_letters(shelf: Any) -> None:
    owner, centre = shelf.account("a"), shelf.centre("C")
    shelf.application(owner, centre, subject={"CN": "100% Ltd"})
    shelf.application(owner, centre, subject={"CN": "100 Ltd"})
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert len(tx.applications.find(seen_by=EVERYTHING, text="100%").items) == 1
        assert len(tx.applications.find(seen_by=EVERYTHING, text="_").items) == 0
        assert len(tx.applications.find(seen_by=EVERYTHING, text="A@EXAMPLE").items) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(max_size=60))
def test_a_cursor_that_no_list_gave_is_refused(shelf: Any, cursor: str) -> None:
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for order in ("created", "due"):
            with pytest.raises(InvalidInput):
                tx.applications.find(seen_by=EVERYTHING, cursor=cursor, order=order)


def test_invariant_15_a_job_goes_to_one_worker_and_comes_back_when_that_dies(shelf: Any, clock: Any) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("x", {"n": 1}, dedupe_key="once", max_attempts=2)
        tx.jobs.enqueue("x", {"n": 2}, dedupe_key="once")
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        first = tx.jobs.lease("a", seconds=60)
        assert first is not None
        assert tx.jobs.lease("b", seconds=60) is None
    clock.advance(timedelta(seconds=61))
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        second = tx.jobs.lease("b", seconds=60)
        assert second is not None
        assert second.id == first.id
        assert not tx.jobs.extend(first, seconds=60), "the lease was lost"
        tx.jobs.finish(first)
        assert tx.jobs.get(first.id).state.value == "leased", "whoever lost it finishes nothing"
        tx.jobs.fail(second, "Broken", retry_at=clock())
        assert tx.jobs.get(first.id).state.value == "dead"
        tx.jobs.revive(first.id)
        assert tx.jobs.get(first.id).state.value == "new"


def test_every_hot_question_uses_an_index(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    zero = "'00'"
    questions = {
        "certificate by issuer and serial": f"SELECT 1 FROM certificates WHERE issuer = {zero} AND serial = {zero}",
        "certificate by key": f"SELECT 1 FROM certificates WHERE spki_sha256 = {zero}",
        "certificate by report code": f"SELECT 1 FROM certificates WHERE report_code_sha256 = {zero}",
        "open intents": f"SELECT 1 FROM certificates WHERE state = 'intent' AND created_at <= {zero}",
        "intent of an application": f"SELECT 1 FROM certificates WHERE application = {zero} AND state <> 'abandoned'",
        "revoked of an issuer": f"SELECT 1 FROM certificates WHERE issuer = {zero}"
        " AND state IN ('held', 'revoked', 'abandoned')",
        "queue of a centre": f"SELECT 1 FROM applications WHERE centre = {zero} AND state = 'submitted'",
        "application by number": f"SELECT 1 FROM applications WHERE number = {zero}",
        "documents of an application": f"SELECT 1 FROM documents WHERE application = {zero}",
        "jobs that are due": "SELECT 1 FROM jobs WHERE state IN ('new', 'failed') AND run_at <= 1",
        "records of an object": f"SELECT 1 FROM audit_records WHERE object_id = {zero} AND sequence > 1",
        "session by token": f"SELECT 1 FROM web_sessions WHERE token_sha256 = {zero}",
    }
    with engine.execution_options(read_only=True).connect() as connection:
        for name, question in questions.items():
            plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}"))
            assert "SEARCH" in plan, (name, plan)
            assert "SCAN" not in plan, (name, plan)
