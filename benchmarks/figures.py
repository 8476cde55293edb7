"""What a run of the load measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of the requests of one name; times in milliseconds."""

    requests: int
    failures: int
    rate: float
    """Answers a second."""
    median: float
    p95: float
    p99: float


def table(figures: Mapping[str, Figures]) -> str:
    """One row for each name."""
    lines = ["| | requests | a second | failed | median, ms | p95, ms | p99, ms |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {name} | {one.requests:,} | {one.rate:,.1f} | {one.failures:,} "
        f"| {one.median:,.1f} | {one.p95:,.1f} | {one.p99:,.1f} |"
        for name, one in sorted(figures.items())
    ]
    return "\n".join(lines)
