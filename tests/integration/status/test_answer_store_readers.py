"""The store of answers after readers were killed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ocsp import answers
from ocsp.answers import AnswerStore

KILLED = """
import os, signal, sys, threading
from pathlib import Path
from ca_core.domain.errors import TryAgain
from ocsp import answers

answers.READERS = 1
store = answers.AnswerStore(Path(sys.argv[1]))
full = threading.Event()

def read():
    try:
        store.shelves()
    except TryAgain:
        full.set()
    threading.Event().wait()  # a thread that ends leaves its place

while not full.is_set():
    threading.Thread(target=read, daemon=True).start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_places_of_readers_that_were_killed_are_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "READERS", 1)  # LMDB makes of it what fits into one page
    store = AnswerStore(tmp_path)  # open all the while: the first to open it would clear the table
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)
    assert killed.returncode < 0
    with ThreadPoolExecutor(1) as newcomer:
        assert newcomer.submit(store.shelves).result() == {}
