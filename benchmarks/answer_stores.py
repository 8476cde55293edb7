"""``python -m benchmarks.answer_stores``: what one look-up costs in the stores that signed answers could stand in.

One reader, random keys, every look-up in a transaction of its own, since that is what shows a revocation at once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import lmdb

from benchmarks.memory import resident

ANSWER = 300
"""Octets: a P-256 answer without the certificates that all share."""
PROBES = 100_000
BATCH = 20_000
Lookup = Callable[[bytes], object]


def key(number: int) -> bytes:
    """As random as a serial is."""
    return sha256(number.to_bytes(8)).digest()[:18]


def batches(entries: int) -> Iterator[list[tuple[bytes, bytes]]]:
    keys = sorted(key(number) for number in range(entries))
    answer = os.urandom(ANSWER)
    for start in range(0, entries, BATCH):
        yield [(one, answer) for one in keys[start : start + BATCH]]


def fill_lmdb(place: str, entries: int) -> None:
    with lmdb.open(place, map_size=1 << 40) as environment:
        for batch in batches(entries):
            with environment.begin(write=True) as tx, tx.cursor() as cursor:
                cursor.putmulti(batch, append=True)


def open_lmdb(place: str) -> Lookup:
    begin = lmdb.open(place, map_size=1 << 40, readonly=True).begin

    def look_up(one: bytes) -> object:
        tx = begin()
        found = tx.get(one)
        tx.abort()
        return found

    return look_up


def fill_sqlite(place: str, entries: int) -> None:
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE answers (key BLOB PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID")
    for batch in batches(entries):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO answers VALUES (?, ?)", batch)
        connection.execute("COMMIT")
    connection.close()


def open_sqlite(place: str) -> Lookup:
    execute = sqlite3.connect(place, isolation_level=None).execute
    return lambda one: execute("SELECT answer FROM answers WHERE key = ?", (one,)).fetchone()


def fill_postgresql(url: str, entries: int) -> None:
    import psycopg

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS answers")
        cursor.execute("CREATE TABLE answers (key bytea PRIMARY KEY, answer bytea NOT NULL)")
        with cursor.copy("COPY answers FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea", "bytea"])
            for batch in batches(entries):
                for row in batch:
                    copy.write_row(row)


def open_postgresql(url: str) -> Lookup:
    import psycopg

    execute = psycopg.connect(url, autocommit=True, prepare_threshold=1).execute
    return lambda one: execute("SELECT answer FROM answers WHERE key = %b", (one,), binary=True).fetchone()


def fill_nothing(place: str, entries: int) -> None:
    """A map has no file."""


def map_of(entries: int) -> Lookup:
    return {one: answer for batch in batches(entries) for one, answer in batch}.__getitem__


def measure(look_up: Lookup, entries: int, runs: int) -> tuple[float, str]:
    """Microseconds of one look-up, the median of the runs; resident memory at the end."""
    draw = random.Random(1)
    probes = [key(draw.randrange(entries)) for _ in range(PROBES)]
    assert look_up(probes[0])
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        for probe in probes:
            look_up(probe)
        found.append((time.perf_counter() - started) / PROBES * 1e6)
    own, mapped = resident("self")
    return statistics.median(found), f"{own:,} + {mapped:,}"


def _measured(kind: str, place: str, entries: int, runs: int, told: multiprocessing.Queue[tuple[float, str]]) -> None:
    if kind == "map":
        look_up = map_of(entries)
    else:
        look_up = {"LMDB": open_lmdb, "SQLite": open_sqlite, "PostgreSQL": open_postgresql}[kind](place)
    told.put(measure(look_up, entries, runs))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answer_stores", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--postgresql", default="", help="libpq URL of a database in which a table may be made")
    parser.add_argument("--without", action="append", default=[], help="leave out: map, LMDB, SQLite")
    options = parser.parse_args(arguments)
    print(
        "| store | filled, entries a second | one look-up, µs | resident, MiB: own + mapped files |\n|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "map": (fill_nothing, ""),
            "LMDB": (fill_lmdb, f"{folder}/lmdb"),
            "SQLite": (fill_sqlite, f"{folder}/answers.sqlite"),
            "PostgreSQL": (fill_postgresql, options.postgresql),
        }
        for kind, (fill, place) in kinds.items():
            if kind in options.without or (kind == "PostgreSQL" and not place):
                continue
            started = time.perf_counter()
            fill(place, options.entries)
            rate = options.entries / (time.perf_counter() - started)
            told: multiprocessing.Queue[tuple[float, str]] = multiprocessing.Queue()
            # A process of its own, so that its memory is that of the store alone.
            process = multiprocessing.Process(target=_measured, args=(kind, place, options.entries, options.runs, told))
            process.start()
            took, memory = told.get()
            process.join()
            filled = "" if kind == "map" else f"{rate:,.0f}"
            print(f"| {kind} | {filled} | {took:.1f} | {memory} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
