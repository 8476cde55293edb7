"""The table of docs/performance.md, between its marks, with the machine and the command that repeats it."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cryptography
from cryptography.hazmat.backends.openssl import backend

from benchmarks.issuance import Result

PEER = "cryptography's builder"


def table(results: Sequence[Result]) -> str:
    """One row for each algorithm; every cell is the rate, and its ratio to the peer in the same run."""
    names = list(results[0].rates)
    lines = [f"| issuer's key | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for result in results:
        peer = result.rates[PEER][0]
        cells = [
            f"{rate:,.0f} ±{spread / 2:.0f} %" + ("" if name == PEER else f" ({rate / peer:.3f} ×)")
            for name, (rate, spread) in result.rates.items()
        ]
        lines.append(f"| {result.algorithm.value} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(page: Path, results: Sequence[Result], *, command: str) -> None:
    """Put the table into the page."""
    put(page, "issuance", f"{machine(command)}\n\n{table(results)}")


def put(page: Path, mark: str, text: str) -> None:
    """Replace what stands in the page between the marks of that name."""
    start, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(start)
    after = rest.split(end)[1]
    page.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def image(page: Path, plot: Path) -> str:
    """A plot in the page."""
    return f"![{plot.stem}]({plot.relative_to(page.parent)})"


def machine(command: str) -> str:
    """Where and with what it was measured, and the command that repeats it."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {_processor()}, Python {platform.python_version()}, "
        f"cryptography {cryptography.__version__} on {backend.openssl_version_text()}, "
        f"SQLite {sqlite3.sqlite_version}. Repeat: `{command}`."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()
