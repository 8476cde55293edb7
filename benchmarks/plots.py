"""Plots of what was measured, as SVG."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
# The same figures give the same file, and text stays text.
mpl.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})

from matplotlib.figure import Figure  # noqa: E402 - after the backend is chosen

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Points (seconds since the beginning, value) by what they are of."""


def panels(path: Path, rows: Sequence[tuple[str, Series]], *, limits: Mapping[str, float] | None = None) -> None:
    """One panel below the other over the same time, each with its unit; ``limits`` are drawn as lines by unit."""
    figure = Figure(figsize=(9, 2.2 * len(rows)), layout="constrained")
    for axes, (unit, series) in zip(figure.subplots(len(rows), sharex=True, squeeze=False)[:, 0], rows, strict=True):
        for name, points in series.items():
            axes.plot(*zip(*points, strict=True), label=name, linewidth=1)
        if limits and unit in limits:
            axes.axhline(limits[unit], color="red", linestyle=":", label=f"at most {limits[unit]:g}")
        axes.set_ylabel(unit)
        axes.set_ylim(bottom=0)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=7)
    axes.set_xlabel("seconds")
    _save(figure, path)


def bars(path: Path, table: str, columns: Sequence[str]) -> None:
    """The figures in these columns of a Markdown table, a group for each row; ± is drawn as its reach."""
    head, _, *rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in table.splitlines()]
    figure = Figure(figsize=(9, 1 + 0.35 * len(rows) * len(columns)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(columns)
    for at, column in enumerate(columns):
        found = [_figure(row[head.index(column)]) for row in rows]
        places = [number + at * height for number in range(len(rows))]
        axes.barh(
            places,
            [value for value, _ in found],
            height,
            xerr=[reach for _, reach in found],
            label=column,
            log=len(columns) > 1,  # steps of one thing lie far apart
        )
    axes.set_yticks([number + 0.4 - height / 2 for number in range(len(rows))], [row[0] for row in rows])
    axes.invert_yaxis()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=7)
    _save(figure, path)


def _figure(cell: str) -> tuple[float, float]:
    """The value, and how far it reaches: ``44,511 ±3 %``."""
    match = re.match(r"([\d,.]+)(?: ±(\d+) %)?", cell)
    if match is None:
        return float("nan"), 0
    value = float(match[1].replace(",", ""))
    return value, value * int(match[2] or 0) / 100


def load_series(history: Path, path: Path) -> None:
    """Rate and 99th percentile over time, of each scenario's requests, from what locust writes with
    ``--csv-full-history``."""
    rows = []
    for column, unit in (("Requests/s", "answers a second"), ("99%", "p99, ms")):
        by_scenario: dict[str, dict[str, Sequence[tuple[float, float]]]] = defaultdict(dict)
        for name, points in of_history(history, column).items():
            scenario, _, what = name.partition(": ")
            by_scenario[scenario][what] = points
        rows += [(f"{scenario}: {unit}", series) for scenario, series in by_scenario.items()]
    panels(path, rows)


def of_history(history: Path, column: str) -> dict[str, list[tuple[float, float]]]:
    """One column of locust's history: of the last ten seconds at each moment."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    begun: float | None = None
    with history.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            begun = float(row["Timestamp"]) if begun is None else begun
            if row["Name"] != "Aggregated" and row[column] != "N/A":
                found[row["Name"]].append((float(row["Timestamp"]) - begun, float(row[column])))
    return found


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
