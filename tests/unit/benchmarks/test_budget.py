"""What a run of the load has to keep to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.budget import Budgets
from benchmarks.figures import Figures

MEASURED = Figures(requests=1000, failures=10, rate=95.0, median=20, p95=40, p99=80)
BEYOND = [
    ("errors = 0.005", "crl: download: 1.00% of 1,000 requests failed, and at most 0.50% may"),
    ("p95 = 39", "crl: download: p95 is 40 ms, and at most 39 ms are allowed"),
    ("p99 = 79", "crl: download: p99 is 80 ms, and at most 79 ms are allowed"),
    ("rate = 95.1", "crl: download: 95.0 answers a second, and at least 95.1 are wanted"),
]


@pytest.fixture
def budgets(tmp_path: Path) -> Callable[[str], Budgets]:
    def read(text: str) -> Budgets:
        (tmp_path / "budgets.toml").write_text(text)
        return Budgets.read(tmp_path / "budgets.toml")

    return read


@pytest.mark.parametrize(("limit", "sentence"), BEYOND)
@pytest.mark.parametrize("section", ['["crl: download"]', "[every]"])
def test_what_is_beyond_a_budget_is_said(
    budgets: Callable[[str], Budgets], section: str, limit: str, sentence: str
) -> None:
    found = budgets(f"{section}\n{limit}\n").missed({"crl: download": MEASURED}, scenarios={"crl"})
    assert found == [sentence]


def test_what_is_just_within_is_no_fault(budgets: Callable[[str], Budgets]) -> None:
    within = budgets("[every]\nerrors = 0.01\np95 = 40\np99 = 80\nrate = 95.0\n")
    assert within.missed({"crl: download": MEASURED}, scenarios={"crl"}) == []


def test_a_name_of_its_own_comes_before_every(budgets: Callable[[str], Budgets]) -> None:
    read = budgets('[every]\np99 = 10\n["crl: download"]\np99 = 100\n')
    assert read.missed({"crl: download": MEASURED}, scenarios={"crl"}) == []


def test_a_request_with_a_budget_that_nobody_made_is_a_fault_if_its_scenario_ran(
    budgets: Callable[[str], Budgets],
) -> None:
    read = budgets('["ocsp: GET, known"]\np99 = 10\n')
    assert read.missed({}, scenarios={"ocsp"}) == ["ocsp: GET, known: was never asked"]
    assert read.missed({}, scenarios={"crl"}) == []


def test_a_key_that_no_budget_has_is_refused(budgets: Callable[[str], Budgets]) -> None:
    with pytest.raises(ValueError, match=r"\[every\] has 'p98', which no budget has"):
        budgets("[every]\np98 = 1\n")


def test_the_budgets_that_come_along_are_read_and_name_scenarios_that_there_are() -> None:
    from benchmarks.load import CLASSES

    for path in (Path(__file__).parents[3] / "benchmarks" / "budgets").glob("*.toml"):
        read = Budgets.read(path)
        assert read.every["errors"] == 0.0
        assert {name.partition(":")[0] for name in read.named} <= set(CLASSES)
