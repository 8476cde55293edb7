"""``make bench`` runs every benchmark that there is, with options that it has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.suite import PERFORMANCE, SUITE

ROOT = Path(__file__).parents[3]


def test_every_benchmark_is_in_the_suite() -> None:
    runnable = {
        f"benchmarks.{path.stem}".removesuffix(".__main__")
        for path in (ROOT / "benchmarks").glob("*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    }
    assert {one.module for one in SUITE} == runnable - {"benchmarks.suite"}


def documented() -> list[str]:
    """The commands in the text of docs/performance.md."""
    return re.findall(r"`(python -m benchmarks[^`]*)`", (ROOT / PERFORMANCE).read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", [*(one.module for one in SUITE), "benchmarks.suite"])
def test_a_benchmark_has_the_options_that_it_is_given(module: str) -> None:
    command = [sys.executable, "-m", module, "--help"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout
    commands = [one.command(size) for one in SUITE for size in ("quick", "full")]
    commands += [command.split() for command in documented()]
    given = {word for command in commands if command[2] == module for word in command if word.startswith("--")}
    assert given <= set(re.findall(r"--[a-z-]+", said))


def test_every_benchmark_is_in_the_table_of_the_performance_page() -> None:
    assert {command.split()[2] for command in documented()} == {*(one.module for one in SUITE), "benchmarks.suite"}


def test_the_performance_page_has_a_place_for_what_is_written_there() -> None:
    text = (ROOT / PERFORMANCE).read_text(encoding="utf-8")
    begins, ends = (re.findall(rf"<!-- (\S+): {edge} -->", text) for edge in ("begin", "end"))
    assert begins == ends
    for mark in ("issuance", "status-1000000", "load", "record-hour"):
        assert mark in begins


def test_quick_benchmarks_leave_the_performance_page_alone() -> None:
    assert not [one.module for one in SUITE if "--page" in one.command("quick")]
