"""The scenarios, their options and their budgets, for locust; docs/performance.md says how to run it.

Without ``python -m benchmarks.load`` around it: ``python -m locust -f benchmarks/locustfile.py --prepared FILE …``
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import deque
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import StatsEntry

from benchmarks.budget import Budgets
from benchmarks.figures import Figures, table
from benchmarks.scenarios.crl import CrlDownload
from benchmarks.scenarios.issuance import Issuance
from benchmarks.scenarios.journey import Journey
from benchmarks.scenarios.ocsp import Ocsp
from benchmarks.scenarios.prepared import Prepared
from benchmarks.scenarios.scenario import Scenario

__all__ = ["CrlDownload", "Issuance", "Journey", "Ocsp"]

_share = {"index": 0, "of": 1, "users": 1}
"""Which of the workers this is, out of how many, and for how many users in all of them."""


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--prepared", help="file with tokens and what else was made ready; on every machine")
    parser.add_argument(
        "--rate", type=float, default=0, help="tasks begun a second, all users together (default: all they can)"
    )
    parser.add_argument("--budgets", default="benchmarks/budgets/load.toml", help="TOML file of what is allowed")


@events.init.add_listener
def _listen(environment: Environment, **_: Any) -> None:
    # The history has the percentiles of each moment then, rather than of all so far.
    environment.stats.use_response_times_cache = True
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message("share", lambda environment, msg: _share.update(msg.data))


@events.test_start.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    runner, options = environment.runner, environment.parsed_options
    assert runner is not None
    assert options is not None
    if isinstance(runner, MasterRunner):
        # Before the message that makes them spawn, so that each knows its share when it begins.
        workers = list(runner.clients)
        for index, worker in enumerate(workers):
            share = {"index": index, "of": len(workers), "users": runner.target_user_count}
            runner.send_message("share", share, worker)
        return
    if not isinstance(runner, WorkerRunner):
        _share["users"] = runner.target_user_count
    Scenario.prepared = Prepared.read(Path(options.prepared))
    Scenario.arrive(options.rate, _share["users"])
    Issuance.waiting = deque(Scenario.prepared.share(_share["index"], _share["of"]))


@events.quitting.add_listener
def _judge(environment: Environment, **_: Any) -> None:
    """A table on standard output, and exit code 1 and a sentence for each budget that was missed;
    0 if none was, whatever locust thinks of errors."""
    runner, options = environment.runner, environment.parsed_options
    if runner is None or options is None or isinstance(runner, WorkerRunner):
        return
    figures = {name: _figures(entry) for (name, _), entry in environment.stats.entries.items()}
    print(table(figures), flush=True)
    missed = Budgets.read(Path(options.budgets)).missed(figures, scenarios=_scenarios(environment))
    missed += [f"a scenario failed: {one['msg']}\n{one['traceback']}" for one in runner.exceptions.values()]
    for sentence in missed:
        print(sentence, file=sys.stderr)
    environment.process_exit_code = 1 if missed else 0


def _scenarios(environment: Environment) -> set[str]:
    return {one.scenario for one in environment.user_classes if issubclass(one, Scenario)}


def _figures(entry: StatsEntry) -> Figures:
    return Figures(
        requests=entry.num_requests,
        failures=entry.num_failures,
        rate=entry.total_rps,
        median=entry.median_response_time or 0,
        p95=entry.get_response_time_percentile(0.95),
        p99=entry.get_response_time_percentile(0.99),
    )
