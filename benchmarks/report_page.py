"""The report of many benchmarks as one HTML file, which needs nothing beside it."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import metadata
from pathlib import Path

from markdown_it import MarkdownIt

from benchmarks.report import machine

PROGRAMS = {
    "cfssl": "cfssl version",
    "nginx": "nginx -v",
    "openssl": "openssl version",
    "psql": "psql --version",
    "wrk": "wrk -v",
}
"""Peers and the load generator, and how each tells its version."""
STYLE = (
    "body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }"
    "table { border-collapse: collapse; margin: 1rem 0 } th, td { border: 1px solid #ccc; padding: .2rem .6rem }"
    "td:not(:first-child) { text-align: right } img { max-width: 100% } .missed { color: #a00 }"
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One benchmark."""

    title: str
    command: str
    minutes: float
    said: str
    """Markdown: the table, with medians and spread, and what else there is to say."""
    complaints: Sequence[str] = ()
    """Budgets that were missed, or why it failed."""
    plot: Path | None = None


def page(sections: Sequence[Section]) -> str:
    """The whole file."""
    body = "".join(_section(one) for one in sections)
    programs = "".join(f"<li>{escape(name)}: {escape(version)}</li>" for name, version in versions().items())
    where = escape(machine("make bench"))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Benchmarks</title>'
        f"<style>{STYLE}</style><h1>Benchmarks</h1><p>{where}</p><ul>{programs}</ul>{body}</html>\n"
    )


def _section(section: Section) -> str:
    # No raw HTML: what is rendered is what programs said.
    said = MarkdownIt("commonmark", {"html": False}).enable("table").render(section.said)
    missed = "".join(f'<p class="missed">{escape(sentence)}</p>' for sentence in section.complaints)
    plot = ""
    if section.plot is not None:
        plot = f'<img alt="{escape(section.title)}" src="data:image/svg+xml;base64,{_base64(section.plot)}">'
    return (
        f"<h2>{escape(section.title)}</h2><p><code>{escape(section.command)}</code>, {section.minutes:.1f} minutes</p>"
        f"{said}{missed}{plot}"
    )


def _base64(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()


def versions() -> dict[str, str]:
    """Of those that are installed: the first line with a figure in it."""
    found = {"locust": metadata.version("locust")}
    for name, command in PROGRAMS.items():
        if shutil.which(name):
            done = subprocess.run(command.split(), check=False, capture_output=True, text=True)
            lines = (done.stdout + done.stderr).splitlines()
            found[name] = next((line.strip() for line in lines if any(map(str.isdigit, line))), "")
    return found
