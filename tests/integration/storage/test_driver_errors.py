"""What goes wrong in the database leaves the storage as an error of ours, and the transaction leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Engine, event, text

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.account import Centre
from ca_core.domain.errors import (
    CaError,
    ConfigurationError,
    Duplicate,
    IntegrityAlarm,
    InvalidInput,
    NotFound,
    TryAgain,
)
from ca_core.storage import schema
from ca_core.storage.engine import engine_for
from ca_core.storage.transactions import Transactions

VERY_LARGE = 10**40
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001


def centre(tx: Any, code: str) -> Centre:
    made = Centre(id=tx.new_id(), code=code, name=code)
    tx.accounts.add_centre(made)
    return made


def test_invariant_7_a_refused_statement_ends_the_transaction_even_if_its_error_is_caught(shelf: Any) -> None:
    shelf.centre("C-1")

    def goes_on_regardless() -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            centre(tx, "C-2")
            tx.jobs.enqueue("x", {})
            with pytest.raises(Duplicate):
                centre(tx, "C-1")

    with pytest.raises(IntegrityAlarm, match="nothing of it is kept"):
        goes_on_regardless()
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert [one.code for one in tx.accounts.centres()] == ["C-1"]
        assert not tx.jobs.find().items
        centre(tx, "C-2")
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert len(tx.accounts.centres()) == 2, "the next transaction is a whole one again"


def test_what_was_not_found_ends_no_transaction(shelf: Any) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        with pytest.raises(NotFound):
            tx.accounts.centre(UUID(int=9))
        centre(tx, "C-1")
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert len(tx.accounts.centres()) == 1


MISUSE: dict[str, tuple[Callable[[Any], object], type[CaError]]] = {
    "limit": (lambda tx: tx.applications.find(seen_by=EVERYTHING, limit=VERY_LARGE), InvalidInput),
    "sequence": (lambda tx: tx.audit.records(after=VERY_LARGE), InvalidInput),
    "surrogate": (lambda tx: tx.accounts.by_email("\ud800"), InvalidInput),
    "no zone": (lambda tx: tx.applications.unmoved_since(NAIVE, states=["draft"], limit=1), IntegrityAlarm),
    "no uuid": (lambda tx: tx.applications.get("no uuid", seen_by=EVERYTHING), CaError),
    "null": (lambda tx: tx.accounts.add_centre(Centre(id=UUID(int=1), code=None, name="x")), CaError),  # type: ignore[arg-type]
    "object": (lambda tx: tx.accounts.add_centre(Centre(id=UUID(int=1), code=object(), name="x")), IntegrityAlarm),  # type: ignore[arg-type]
    "job argument": (lambda tx: tx.jobs.enqueue("x", {"a": object()}), IntegrityAlarm),
    "record": (lambda tx: tx.audit.record("x", "x", 1, number=float("nan")), IntegrityAlarm),
}


def test_misuse_is_told_in_an_error_of_ours(shelf: Any) -> None:
    for name, (misuse, expected) in MISUSE.items():
        with pytest.raises(expected) as told, shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            misuse(tx)
        assert "sqlalchemy" not in told.value.detail.lower(), name
        assert "\n" not in told.value.detail, name


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(st.characters(), max_size=20))
def test_a_search_for_anything_finds_nothing_or_is_refused_politely(shelf: Any, words: str) -> None:
    for search in (
        lambda tx: tx.applications.find(seen_by=EVERYTHING, text=words).items,
        lambda tx: tx.certificates.find(seen_by=EVERYTHING, text=words).items,
        lambda tx: tx.accounts.find(text=words).items,
    ):
        try:
            with shelf.transactions.read(SYSTEM_ACTOR) as tx:
                assert not search(tx)
        except InvalidInput:
            assert "\0" in words or any("\ud800" <= letter <= "\udfff" for letter in words)


def test_a_repository_that_outlives_its_transaction_does_nothing(shelf: Any) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        pass
    with pytest.raises(IntegrityAlarm):
        tx.jobs.enqueue("x", {})
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert not tx.jobs.find().items


@pytest.mark.parametrize("fails", [RuntimeError, KeyboardInterrupt, NotFound])
def test_after_a_read_that_failed_one_can_write(shelf: Any, fails: type[BaseException]) -> None:
    def reads() -> None:
        with shelf.transactions.read(SYSTEM_ACTOR) as tx:
            tx.accounts.centres()
            raise fails("x")

    for _ in range(3):
        with pytest.raises(fails):
            reads()
    with pytest.raises(IntegrityAlarm), shelf.transactions.read(SYSTEM_ACTOR) as tx:
        centre(tx, "C")
    assert shelf.centre("C")


def test_a_connection_that_breaks_in_a_read_does_no_harm_to_the_next_writer(shelf: Any) -> None:
    def breaks() -> None:
        with shelf.transactions.read(SYSTEM_ACTOR) as tx:
            tx.accounts._connection.connection.driver_connection.close()
            tx.accounts.centres()

    with pytest.raises(CaError):
        breaks()
    assert shelf.centre("C")


def test_a_connection_that_breaks_in_a_write_keeps_nothing(shelf: Any) -> None:
    def breaks() -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            centre(tx, "C-1")
            tx.accounts._connection.connection.driver_connection.close()

    with pytest.raises(CaError):
        breaks()
    shelf.centre("C-2")
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert [one.code for one in tx.accounts.centres()] == ["C-2"]


def test_writers_in_each_others_way_are_told_to_try_again(
    shelf: Any, database_url: str, clock: Any, symmetric_keys: Any
) -> None:
    """SQLite: the place of the one writer is taken. PostgreSQL: two wait for each other, and one has to give way."""
    engine = engine_for(database_url, synchronous="NORMAL")
    others = Transactions(engine, clock=clock, entropy=lambda n: bytes(n), audit_keys=symmetric_keys)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 1"))
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            centre(tx, "C")
            with pytest.raises(TryAgain), others.begin(SYSTEM_ACTOR):
                pass
    else:
        event.listen(engine, "connect", lambda raw, _: raw.execute("SET deadlock_timeout = '50ms'"))
        shelf.centre("C-1"), shelf.centre("C-2")
        with shelf.transactions.read(SYSTEM_ACTOR) as tx:
            first, second = tx.accounts.centres()
        both, failures = threading.Barrier(2), []

        def change(*order: Centre) -> None:
            try:
                with others.begin(SYSTEM_ACTOR) as tx:
                    tx.accounts._centres.replace(replace(order[0], name="x"))
                    both.wait(timeout=30)
                    tx.accounts._centres.replace(replace(order[1], name="x"))
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=change, args=order) for order in ((first, second), (second, first))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [type(failure) for failure in failures] == [TryAgain]
    engine.dispose()


def test_a_schema_that_is_not_there_is_no_matter_of_trying_again(shelf: Any, engine: Engine) -> None:
    schema.downgrade(engine, "base")
    with pytest.raises(IntegrityAlarm), shelf.transactions.read(SYSTEM_ACTOR) as tx:
        tx.accounts.centres()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///x?timeout=abc", "postgresql://host:port/x", "oracle://x/y", "\0"],
)
def test_a_url_that_cannot_be_used_is_refused_when_the_program_starts(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.url"):
        engine_for(url)


def test_names_are_found_in_any_letters_and_any_case(shelf: Any) -> None:
    shelf.account("Иван Ёлкин")
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for words in ("иван", "ИВАН ё", "Ёлкин"):
            assert len(tx.accounts.find(text=words).items) == 1, words


def test_sqlite_is_opened_with_care(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "recursive_triggers", "trusted_schema", "query_only")
        }
    assert settings == {
        "journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0, "query_only": 0,
    }  # fmt: skip
