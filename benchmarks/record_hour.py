"""``python -m benchmarks.record_hour``: certificates, status and lists at once, at a constant rate.

The rates are those of the largest public authority in its busiest hour. Needs ``wrk``.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from benchmarks.budget import Budget
from benchmarks.figures import table
from benchmarks.installation import Installation
from benchmarks.load import CLASSES, locust, opened
from benchmarks.memory import resident
from benchmarks.node import node_of
from benchmarks.plots import of_history, panels
from benchmarks.report import image, machine, put
from benchmarks.status import GET, Answers, lua
from benchmarks.steady_wrk import Slice, figures, percentile, slices
from ca_core.domain.access import SYSTEM_ACTOR

ISSUANCE = Budget(errors=0.0, p99=250)
STATUS = Budget(errors=0.0, p99=5)
REACHED = 0.98
"""The share of the asked rate that has to be reached: the first and the last second are not whole."""
GROWTH = 1.05
"""How much more memory a server process may have in the last quarter than in the second one."""
SLICE = 30.0
ISSUED, ANSWERED = "issuance: issue", "ocsp: GET, by wrk"


@dataclass
class Measured:
    """What was seen while the load went on; times in seconds since it began."""

    begun: float
    answers: list[Slice] = field(default_factory=list)
    lists: list[tuple[float, float]] = field(default_factory=list)
    """When each list was begun, and how long it took."""
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """MiB of each process that are its own alone."""

    def now(self) -> float:
        return time.monotonic() - self.begun

    def ask(self, script: str, url: str, *, rate: float, seconds: float, place: Path) -> None:
        """Keep asking for status."""
        for one in slices(script, url, rate=rate, seconds=seconds, each=SLICE, place=place):
            self.answers.append(one)

    def build_lists(self, house: Installation, over: threading.Event, *, every: float) -> None:
        """A full list each so many seconds."""
        while not over.wait(every):
            begun = self.now()
            house.program.crls.issue(SYSTEM_ACTOR, house.issuer.name)
            self.lists.append((begun, self.now() - begun))

    def watch_memory(self, parent: int, over: threading.Event, *, every: float) -> None:
        """Of the server's processes, of which ``parent`` started the others."""
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        while not over.wait(every):
            for process in (str(parent), *children):
                own, _ = resident(process)
                self.memory.setdefault(f"process {process}", []).append((self.now(), own))

    def grown(self) -> Iterator[str]:
        """One sentence for each process that has more memory at the end."""
        for name, points in self.memory.items():
            quarter = len(points) // 4
            early = statistics.median(value for _, value in points[quarter : 2 * quarter] or points)
            late = statistics.median(value for _, value in points[-quarter:])
            if late > early * GROWTH:
                yield f"{name}: has {late:,.0f} MiB of its own at the end, and had {early:,.0f} after a quarter"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record_hour", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--issuances", type=float, default=95, help="certificates a second (default 95)")
    parser.add_argument("--answers", type=float, default=15_000, help="OCSP answers a second (default 15,000)")
    parser.add_argument("--certificates", type=int, default=1_000_000, help="OCSP answers that stand ready")
    parser.add_argument("--list-seconds", type=float, default=60, help="between two CRLs (default 60)")
    parser.add_argument("--processes", type=int, default=2, help="of the server (default 2)")
    parser.add_argument("--node", action="store_true", help="status is asked of a status node beside the server")
    parser.add_argument("--worker", action="store_true", help="do the jobs of what is issued meanwhile, too")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database (default: SQLite)")
    parser.add_argument("--out", type=Path, default=Path("build/record-hour"), help="beginning of the names of reports")
    parser.add_argument("--page", type=Path, default=None, help="page whose table and plot are replaced")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    applications = math.ceil(options.issuances * (options.minutes * 60 + 2))
    with opened(options, applications=applications) as (house, prepared, answers):
        assert answers is not None
        measured, done = _run(options, house, prepared, answers)
    answered = figures(measured.answers)
    text = "\n".join([done.stdout.strip(), table({ANSWERED: answered}).splitlines()[-1]]) + f"\n\n{_beside(measured)}"
    print(text)
    missed = [
        *done.stderr.splitlines(),
        *STATUS.at_least(options.answers * REACHED).missed_by(ANSWERED, answered),
        *measured.grown(),
    ]
    for sentence in missed:
        print(sentence, file=sys.stderr)
    _plot(measured, options.out, options.out.with_suffix(".svg"))
    if options.page is not None:
        command = f"python -m benchmarks.record_hour --minutes {options.minutes:g} --issuances {options.issuances:g}"
        command += f" --answers {options.answers:g}{' --node' if options.node else ''}"
        command += " --worker" if options.worker else ""
        plot = options.page.with_suffix("") / f"record-hour{'-node' if options.node else ''}.svg"
        _plot(measured, options.out, plot)
        put(
            options.page,
            "record-hour-node" if options.node else "record-hour",
            f"{machine(command)}\n\n{text}\n\n{image(options.page, plot)}",
        )
    return 1 if missed or done.returncode else 0


def _run(
    options: argparse.Namespace, house: Installation, prepared: Path, answers: Answers
) -> tuple[Measured, subprocess.CompletedProcess[str]]:
    seconds = options.minutes * 60
    url = f"http://127.0.0.1:{house.port}"
    home = prepared.parent
    budgets = home / "budgets.toml"
    budgets.write_text(
        f'["{ISSUED}"]\nerrors = {ISSUANCE.errors}\np99 = {ISSUANCE.p99}\nrate = {options.issuances * REACHED}\n'
    )
    command = locust(
        [CLASSES["issuance"]],
        url=url,
        prepared=prepared,
        budgets=budgets,
        out=options.out,
        # Each begins one a second: a slow answer delays nobody else's question (Scenario.arrive).
        users=math.ceil(options.issuances),
        rate=options.issuances,
        seconds=seconds,
        workers=1,
    )
    gets = home / "gets"
    gets.write_text("\n".join(f"/ocsp/{quote(b64encode(one).decode(), safe='')}" for one in answers.requests))
    measured = Measured(time.monotonic())
    over = threading.Event()
    with ExitStack() as stack:
        asked, servers = url, [house.server]
        if options.node:
            port, node = stack.enter_context(node_of(house, home, processes=options.processes))
            asked, servers = f"http://127.0.0.1:{port}", [house.server, node]
            measured.begun = time.monotonic()
        if options.worker:
            stack.enter_context(_worker(home))
        pool = stack.enter_context(ThreadPoolExecutor())
        beside = [
            pool.submit(measured.ask, lua(gets, GET), asked, rate=options.answers, seconds=seconds, place=home),
            pool.submit(measured.build_lists, house, over, every=options.list_seconds),
            *(pool.submit(measured.watch_memory, server, over, every=min(5, seconds / 20)) for server in servers),
        ]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        finally:
            over.set()
        for one in beside:
            one.result()
    return measured, done


@contextmanager
def _worker(home: Path) -> Iterator[None]:
    program = str(Path(sys.executable).with_name("pechatnik"))
    worker = subprocess.Popen([program, "-c", str(home / "pechatnik.toml"), "worker"], stdout=sys.stderr)
    try:
        yield
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode}")
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def _beside(measured: Measured) -> str:
    took = [seconds for _, seconds in measured.lists]
    lists = f"{len(took)} lists, the slowest in {max(took):.2f} s." if took else "No list fell due."
    memory = "; ".join(
        f"{points[0][1]:,.0f} MiB at first, {points[-1][1]:,.0f} at last" for points in measured.memory.values()
    )
    return f"{lists} Own memory of each server process: {memory}."


def _plot(measured: Measured, out: Path, path: Path) -> None:
    history = Path(f"{out}_stats_history.csv")
    rates: Sequence[tuple[float, float]] = [(one.begun - measured.begun, one.rate) for one in measured.answers]
    slowest = [(one.begun - measured.begun, percentile(one.latencies, 0.99)) for one in measured.answers]
    assert ISSUANCE.p99 is not None
    assert STATUS.p99 is not None
    panels(
        path,
        [
            ("certificates / s", of_history(history, "Requests/s")),
            ("issuance p99, ms", of_history(history, "99%")),
            ("OCSP answers / s", {"wrk": rates}),
            ("OCSP p99, ms", {"wrk": slowest}),
            ("own memory, MiB", measured.memory),
        ],
        limits={"issuance p99, ms": ISSUANCE.p99, "OCSP p99, ms": STATUS.p99},
    )


if __name__ == "__main__":
    sys.exit(main())
