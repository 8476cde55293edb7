"""``python -m benchmarks.many_rows``: certificates a second where there are ten million already, beside ten thousand.

Both in the same run, on SQLite, without HTTP, as a batch is issued.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from benchmarks.installation import Installation, open_installation
from benchmarks.issuance_load import Loop, Service
from benchmarks.report import machine, put
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.storage.tables.certificates import certificates

AT_ONCE = 500_000
"""Rows of one transaction."""


def fill(database: Path, sample: str, rows: int) -> None:
    """Put copies of a certificate's row in. What has to be unique is spread evenly over all that it can be, so that the
    next certificate comes between any two of them, as it would."""
    step = (1 << 62) // rows
    spread = f"printf('%016x', (n.i + :first) * {step} + 1)"
    columns = {column.name: f'c."{column.name}"' for column in certificates.columns}
    columns |= {
        "id": "printf('%032x', n.i + :first)",
        "serial": f"'0' || substr({spread}, 2) || '{'5' * 20}'",
        "sha256": f"CAST({spread} || 'sha256..........' AS BLOB)",
        "spki_sha256": f"CAST({spread} || 'spki............' AS BLOB)",
        "application": "NULL",
        "report_code_sha256": "NULL",
    }
    statement = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
        f"INSERT INTO certificates ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())} FROM n, certificates c WHERE c.id = :sample"
    )
    with closing(sqlite3.connect(database)) as connection, _bare(connection):
        for first in range(0, rows, AT_ONCE):
            count = min(AT_ONCE, rows - first)
            connection.execute(statement, {"first": first + 1, "count": count, "sample": sample})
            connection.commit()
            print(f"\r{first + count:,} rows", end="", file=sys.stderr, flush=True)
        print("\nindexes …", file=sys.stderr)


@contextmanager
def _bare(connection: sqlite3.Connection) -> Iterator[None]:
    """Without the triggers and indexes of the table meanwhile: they would take hours."""
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master "
        "WHERE tbl_name = 'certificates' AND type IN ('index', 'trigger') AND sql IS NOT NULL"
    ).fetchall()
    for kind, name, _ in found:
        connection.execute(f'DROP {kind} "{name}"')
    yield
    for _, _, sql in found:
        connection.execute(sql)
    connection.execute("ANALYZE")
    connection.commit()


def _house(stack: ExitStack, home: Path, rows: int) -> Installation:
    home.mkdir()
    house = stack.enter_context(open_installation(home, KeyAlgorithm.EC_P256, ""))
    fill(Path(str(house.program.engine.url.database)), house.sample.id.hex, rows)
    return house


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_rows", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--beside", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, default=1280, help="certificates of one run")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    sizes = (options.rows, options.beside)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        free = shutil.disk_usage(home).free
        if free < (needed := options.rows * 4096):
            print(f"{needed >> 30} GiB are needed in {home}, and {free >> 30} are free", file=sys.stderr)
            return 1
        services = [Service(_house(stack, home / str(number), rows)) for number, rows in enumerate(sizes)]
        loops = [Loop(f"{rows:,}", service.run) for rows, service in zip(sizes, services, strict=True)]
        for run in range(options.runs + 1):
            print(f"run {run} …", file=sys.stderr, flush=True)
            for loop, service in zip(loops, services, strict=True):
                service.prepare(options.count)
                loop.measure(options.count)
                if not run:  # everything is warm now
                    loop.rates.clear()
    rates = [statistics.median(loop.rates) for loop in loops]
    lines = ["| rows before | certificates a second | |", "|---|---|---|"]
    for loop, rate in zip(loops, rates, strict=True):
        spread = (max(loop.rates) - min(loop.rates)) / rate * 50
        lines.append(f"| {loop.name} | {rate:,.0f} ±{spread:.0f} % | {rate / rates[-1]:.2f} × |")
    table = "\n".join(lines)
    print(table)
    if options.page is not None:
        command = (
            f"python -m benchmarks.many_rows --rows {options.rows} --beside {options.beside} --runs {options.runs}"
        )
        put(options.page, "many-rows", f"{machine(command)}\n\n{table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
