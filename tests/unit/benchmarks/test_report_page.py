"""The report of the benchmarks, and its plots."""

from __future__ import annotations

from pathlib import Path

from benchmarks.plots import bars, panels
from benchmarks.report_page import Section, page

TABLE = "| | answers a second | p99, ms |\n|---|---|---|\n| ours, GET | 44,511 ±3 % | 1.8 |\n| a peer | 20,249 | 12.4 |"


def test_a_section_has_its_table_its_command_and_its_plot(tmp_path: Path) -> None:
    bars(tmp_path / "plot.svg", TABLE, ["answers a second"])
    section = Section(title="Answers", command="python -m one", minutes=1, said=TABLE, plot=tmp_path / "plot.svg")
    text = page([section])
    assert "<td>44,511 ±3 %</td>" in text
    assert "<code>python -m one</code>, 1.0 minutes" in text
    assert 'src="data:image/svg+xml;base64,' in text


def test_what_a_benchmark_says_is_text_and_no_markup() -> None:
    section = Section(title="<a>", command="<b>", minutes=1, said="<script>", complaints=["<i>"])
    text = page([section])
    assert not {"<a>", "<b>", "<script>", "<i>"} & set(text.replace(">", ">\n").split("\n"))
    assert "&lt;script&gt;" in text


def test_bars_name_the_rows_and_a_cell_without_a_figure_has_none(tmp_path: Path) -> None:
    bars(tmp_path / "bars.svg", f"{TABLE}\n| left out | | |", ["answers a second", "p99, ms"])
    drawn = (tmp_path / "bars.svg").read_text()
    assert all(name in drawn for name in ("ours, GET", "a peer", "left out", "p99, ms"))


def test_panels_draw_what_is_allowed_and_do_without_points(tmp_path: Path) -> None:
    rows = [("p99, ms", {"wrk": [(0.0, 3.0), (10.0, 4.0)]}), ("answers", {})]
    panels(tmp_path / "panels.svg", rows, limits={"p99, ms": 5})
    drawn = (tmp_path / "panels.svg").read_text()
    assert "at most 5" in drawn
    assert "answers" in drawn


def test_the_same_figures_give_the_same_plot(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        bars(tmp_path / name, TABLE, ["answers a second"])
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
