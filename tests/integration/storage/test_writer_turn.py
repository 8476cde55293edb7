"""One writer at a time on SQLite, in turn, whatever becomes of the one before."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import ConfigurationError, TryAgain
from ca_core.storage import engine as module
from ca_core.storage.engine import engine_for
from ca_core.storage.writer_turn import WriterTurn


def test_the_second_waits_and_is_told_to_come_again_when_it_takes_too_long(tmp_path: Path) -> None:
    turns = WriterTurn(str(tmp_path / "x"), timeout=0.01)
    first = turns.take()
    with pytest.raises(TryAgain):
        turns.take()
    turns.give_back(first)
    turns.give_back(turns.take())


def test_the_lock_is_nobody_elses_to_read(tmp_path: Path) -> None:
    turns = WriterTurn(str(tmp_path / "x"), timeout=1)
    turns.give_back(turns.take())
    assert (tmp_path / "x-writer").stat().st_mode & 0o777 == 0o600


def test_without_a_place_for_the_lock_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        WriterTurn(str(tmp_path / "no" / "x"), timeout=1).take()


def test_a_holder_that_is_killed_gives_its_turn_back(tmp_path: Path) -> None:
    holding = (
        "import sys, time; from ca_core.storage.writer_turn import WriterTurn;"
        "WriterTurn(sys.argv[1], timeout=1).take(); print('holds', flush=True); time.sleep(600)"
    )
    turns = WriterTurn(str(tmp_path / "x"), timeout=5)
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holds\n"
        with pytest.raises(TryAgain):
            WriterTurn(str(tmp_path / "x"), timeout=0.01).take()
        holder.kill()
        holder.wait()
        turns.give_back(turns.take())


@pytest.fixture
def database() -> str:
    return "sqlite"


def test_transactions_give_their_turn_back_however_they_end(
    shelf: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR):
        pass
    with pytest.raises(ZeroDivisionError), shelf.transactions.begin(SYSTEM_ACTOR):
        raise ZeroDivisionError
    path = str(engine.url.database)
    turn = WriterTurn(path, timeout=0.01).take()
    monkeypatch.setattr(module, "BUSY_TIMEOUT", 10)
    other = engine_for(f"sqlite:///{path}")
    with pytest.raises(TryAgain), other.begin():
        pass
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        tx.applications.count(seen_by=SYSTEM_ACTOR.visibility)  # who reads waits for nobody
    WriterTurn.give_back(turn)
    with other.begin():
        pass
    other.dispose()


def test_many_writers_get_their_turn(shelf: Any) -> None:
    def write() -> None:
        for _ in range(20):
            with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
                tx.applications.next_number(2026)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.applications.next_number(2026) == "2026-000161"
