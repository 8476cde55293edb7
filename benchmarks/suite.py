"""``python -m benchmarks.suite``: all benchmarks, one after the other, and one report of them.

The report is ``build/benchmarks.html``. In full size they take hours, and write their tables and plots into
docs/performance.md; quick ones, which take some minutes, say only whether everything works and about how fast.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from benchmarks.plots import bars
from benchmarks.report_page import Section, page

PERFORMANCE = Path("docs/performance.md")
BUILD = Path("build")
Size = Literal["quick", "full"]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One module, and what it is told."""

    module: str
    quick: str
    full: str
    needs: Sequence[str] = ()
    """Programs without which it is left out."""
    written: bool = True
    """Whether the page has its table: it takes ``--page`` then."""
    bars: Sequence[str] = ()
    """Columns of its table that are drawn."""
    plot: str = ""
    """What it draws itself, in ``build``."""

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]

    def command(self, size: Size) -> list[str]:
        written = ["--page", str(PERFORMANCE)] if size == "full" and self.written else []
        return ["python", "-m", self.module, *getattr(self, size).split(), *written]


STEPS = ("cryptography's builder", "sign only", "+ store", "+ lint", "+ audit (all of it)", "over HTTP")
SUITE = (
    Benchmark(
        module="benchmarks",
        quick="--count 10 --runs 2 --algorithm ec-p256 --algorithm rsa-3072",
        full="--count 60 --runs 5",
        bars=STEPS,
    ),
    Benchmark(
        module="benchmarks.issuance_load",
        quick="--runs 1 --seconds 2 --most 300",
        full="--runs 5 --seconds 5",
        needs=["wrk"],
        bars=["certificates a second"],
    ),
    Benchmark(
        module="benchmarks.many_rows",
        quick="--rows 200000 --beside 2000 --runs 2 --count 256",
        full="--rows 10000000 --runs 5",
    ),
    Benchmark(
        module="benchmarks.token_sessions",
        quick="--runs 2 --count 300",
        full="--runs 5",
        needs=["softhsm2-util"],
    ),
    Benchmark(
        module="benchmarks.timestamps",
        quick="--runs 1 --seconds 2 --count 640",
        full="--runs 5 --seconds 5",
        needs=["wrk"],
        bars=["the key alone, a second", "tokens in batches", "tokens over HTTP"],
    ),
    Benchmark(
        module="benchmarks.status",
        quick="--certificates 20000 --runs 2 --seconds 2",
        full="--certificates 1000000 --runs 5",
        needs=["wrk"],
        bars=["answers a second"],
    ),
    Benchmark(
        module="benchmarks.answer_stores",
        quick="--entries 50000 --runs 2",
        full="--entries 1000000 --runs 5",
        written=False,
        bars=["one look-up, µs"],
    ),
    Benchmark(
        module="benchmarks.crl",
        quick="--entries 20000 --runs 2",
        full="--entries 1000000 --runs 5",
    ),
    Benchmark(
        module="benchmarks.bulk",
        quick="--certificates 5000 --runs 2",
        full="--certificates 200000 --runs 5",
    ),
    Benchmark(
        module="benchmarks.load",
        quick="journey issuance ocsp crl --minutes 0.25 --applications 2000",
        full="journey issuance ocsp crl --minutes 5 --workers 2 --certificates 1000000",
        plot="load.svg",
    ),
    Benchmark(
        module="benchmarks.record_hour",
        quick="--minutes 0.5 --issuances 20 --answers 2000 --certificates 20000 --list-seconds 10",
        full="--minutes 10",
        needs=["wrk"],
        plot="record-hour.svg",
    ),
)
"""In the order of docs/performance.md."""


def measure(benchmark: Benchmark, size: Size) -> Section:
    """Run it, and draw what it measured."""
    command = benchmark.command(size)
    begun = time.monotonic()
    done = subprocess.run([sys.executable, *command[1:]], check=False, capture_output=True, text=True)
    plot = BUILD / (benchmark.plot or f"{benchmark.name}.svg")
    table = "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))
    if benchmark.bars and table:
        bars(plot, table, benchmark.bars)
        if size == "full":
            bars(PERFORMANCE.with_suffix("") / plot.name, table, benchmark.bars)
    return Section(
        title=_title(benchmark.module),
        command=" ".join(command),
        minutes=(time.monotonic() - begun) / 60,
        said=done.stdout,
        # What a carriage return overwrites is progress.
        complaints=[line for line in done.stderr.split("\n") if line and "\r" not in line] if done.returncode else [],
        plot=plot if (benchmark.bars or benchmark.plot) and plot.exists() else None,
    )


def _title(module: str) -> str:
    """The first sentence of what it says of itself, without the command."""
    spec = find_spec(f"{module}.__main__" if module == "benchmarks" else module)
    assert spec is not None
    assert spec.origin is not None
    first = Path(spec.origin).read_text(encoding="utf-8").splitlines()[0]
    title = first.strip('"').partition("``: ")[2].rstrip(".").replace("``", "")
    return title[0].upper() + title[1:]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    parser.add_argument("--size", choices=["quick", "full"], default="quick")
    names = [benchmark.name for benchmark in SUITE]
    parser.add_argument("--only", action="append", choices=names, default=[], help="run this one (may be repeated)")
    options = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    sections = []
    for benchmark in SUITE:
        if options.only and benchmark.name not in options.only:
            continue
        if missing := [one for one in benchmark.needs if not shutil.which(one)]:
            print(f"{benchmark.module}: left out, since {', '.join(missing)} is not installed", file=sys.stderr)
            continue
        print(f"$ {' '.join(benchmark.command(options.size))}", file=sys.stderr, flush=True)
        section = measure(benchmark, options.size)
        print(f"{section.said}\n", flush=True)
        for sentence in section.complaints:
            print(sentence, file=sys.stderr, flush=True)
        sections.append(section)
    report = BUILD / "benchmarks.html"
    report.write_text(page(sections), encoding="utf-8")
    print(f"The report is {report}.", file=sys.stderr)
    return 1 if any(section.complaints for section in sections) else 0


if __name__ == "__main__":
    sys.exit(main())
