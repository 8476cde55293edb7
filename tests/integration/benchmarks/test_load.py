"""Locust against a small server of its own: every scenario gets through, and a budget that is missed is told."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from benchmarks.installation import Installation
from benchmarks.load import CLASSES, arguments, locust, opened
from benchmarks.scenarios.prepared import Prepared
from ca_core.storage.tables import certificates

ROOT = Path(__file__).parents[3]
ERRORS_ALONE = "[every]\nerrors = 0.0\n"
"""How fast it is depends on the machine, and is measured elsewhere."""
DOCUMENT = '''
from locust.contrib.fasthttp import FastResponse
from benchmarks.scenarios.verification import SignedDocument, Verification

class Statuses(Verification):
    """The status answer to a request stands for a verdict: something that is posted and judged."""
    path = "/ocsp"
    documents = [
        SignedDocument(kind="no request", content=b"no request", media_type="application/ocsp-request", valid={valid}),
    ]
    def verdict(self, answer: FastResponse) -> bool:
        return answer.content[:5].hex() != "30030a0101"
'''

BROKEN = """
from locust import task
from benchmarks.scenarios.scenario import Scenario

class Broken(Scenario):
    scenario = "broken"
    @task
    def divide(self) -> None:
        1 / 0
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


class Served:
    """What :func:`benchmarks.load.opened` gave, and locust against it."""

    def __init__(self, house: Installation, prepared: Path) -> None:
        self.house = house
        self.url = f"http://127.0.0.1:{house.port}"
        self.prepared = prepared

    def command(self, place: Path, *scenarios: str, budgets: str = ERRORS_ALONE, **more: object) -> list[str]:
        (place / "budgets.toml").write_text(budgets)
        return locust(
            [CLASSES.get(one, one) for one in scenarios],
            url=self.url,
            budgets=place / "budgets.toml",
            out=place / "load",
            **{"prepared": self.prepared, "users": 4, "rate": 0, "seconds": 3, "workers": 1, **more},  # type: ignore[arg-type]
        )

    def run(self, place: Path, *scenarios: str, **more: object) -> tuple[int, str, list[list[str]]]:
        """Exit code, standard error, and the rows of the table: name and figures."""
        command = self.command(place, *scenarios, **more)  # type: ignore[arg-type]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stderr, rows(done.stdout)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    options = arguments().parse_args(["--certificates", "50", "--processes", "1"])
    with opened(options, applications=2000) as (house, prepared, _):
        yield Served(house, prepared)


@pytest.mark.parametrize("scenario", CLASSES)
def test_a_scenario_gets_through_without_an_error(served: Served, tmp_path: Path, scenario: str) -> None:
    code, said, figures = served.run(tmp_path, scenario)
    assert (code, said) == (0, "")
    assert figures
    assert all(row[0].startswith(f"{scenario}: ") for row in figures)
    assert "</html>" in (tmp_path / "load.html").read_text()


def test_workers_share_what_there_is_once(served: Served, tmp_path: Path) -> None:
    """What is asked for again gives the same certificate, so the number of certificates tells."""

    def count() -> int:
        with served.house.program.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(certificates)) or 0

    prepared = Prepared.read(served.prepared)
    untouched = tmp_path / "prepared.json"
    replace(prepared, applications=prepared.applications[::-1]).write(untouched)
    before = count()
    code, said, [(_, requests, *_rest)] = served.run(tmp_path, "issuance", workers=2, users=2, prepared=untouched)
    assert (code, said) == (0, "")
    assert count() - before == int(requests.replace(",", ""))


def test_a_master_and_a_worker_of_its_own_process(served: Served, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = served.command(tmp_path, "issuance")
    place = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    here = command[: command.index("--headless")]
    worker = subprocess.Popen([*here, "--worker", "--master-port", port], cwd=ROOT)
    try:
        master = [*command, "--master", "--expect-workers", "1", *place]
        done = subprocess.run(master, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        assert [row[0] for row in rows(done.stdout)] == ["issuance: issue"]
        assert worker.wait(timeout=60) == 0
    finally:
        worker.kill()


def test_a_budget_that_is_missed_ends_the_run_with_1_and_a_sentence(served: Served, tmp_path: Path) -> None:
    code, said, _ = served.run(tmp_path, "crl", budgets='["crl: download"]\nrate = 1000000000\n')
    assert code == 1
    assert said.startswith("crl: download: ")
    assert said.endswith(" answers a second, and at least 1,000,000,000.0 are wanted\n")


def test_an_error_is_one_even_where_locust_would_not_mind(served: Served, tmp_path: Path) -> None:
    wrong = DOCUMENT.format(valid=True)
    (tmp_path / "wrong.py").write_text(wrong)
    code, said, _ = served.run(tmp_path, "Statuses", locustfiles=[tmp_path / "wrong.py"], seconds=2)
    assert code == 1
    assert "verification: no request: 100.00% of" in said


def test_a_module_of_its_own_brings_documents_to_verify(served: Served, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(DOCUMENT.format(valid=False))
    code, said, figures = served.run(tmp_path, "Statuses", locustfiles=[tmp_path / "right.py"], seconds=2)
    assert (code, said) == (0, "")
    assert [row[0] for row in figures] == ["verification: no request"]


def test_a_status_that_is_not_the_right_one_is_an_error(served: Served, tmp_path: Path) -> None:
    prepared = Prepared.read(served.prepared)
    exchanged = tmp_path / "prepared.json"
    replace(prepared, known=prepared.unknown, unknown=prepared.known[:1]).write(exchanged)
    code, said, _ = served.run(tmp_path, "ocsp", prepared=exchanged, seconds=8)
    assert code == 1
    assert re.search("ocsp: (GET|POST), known: 100.00% of", said)
    # One in fifty asks about these, by either method.
    assert re.search("ocsp: (GET|POST), unknown: 100.00% of", said)


def test_a_mistake_in_a_scenario_is_no_success(served: Served, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    code, said, _ = served.run(tmp_path, "Broken", locustfiles=[tmp_path / "broken.py"], seconds=2)
    assert code == 1
    assert "a scenario failed: division by zero" in said


def test_other_machines_are_served_under_the_name_that_is_given(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load", "--serve", str(tmp_path / "prepared.json")]
    command += ["--address", "load.example.org", "--certificates", "10", "--processes", "1"]
    serving = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        address = urlsplit(serving.stdout.readline().strip())
        assert (tmp_path / "prepared.json").stat().st_mode & 0o777 == 0o600
        token = Prepared.read(tmp_path / "prepared.json").subscriber
        assert (address.hostname, address.port is not None) == ("load.example.org", True)
        connection = HTTPConnection("127.0.0.1", address.port or 0, timeout=60)
        headers = {"Host": address.netloc, "Authorization": f"Bearer {token}"}
        connection.request("GET", "/api/v1/me", headers=headers)
        assert connection.getresponse().status == 200
    finally:
        serving.terminate()
        assert serving.wait(timeout=60) == 0
    assert not (tmp_path / "prepared.json").exists()


def test_a_run_whose_budgets_cannot_be_read_does_not_begin(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load", "crl", "--budgets", str(tmp_path / "none.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "none.toml" in done.stderr
