"""What commands print: one JSON document on stdout with ``--json``, else text; progress goes to stderr."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from ca_core.domain.certificate import Certificate
from ca_core.domain.document import Document
from ca_core.domain.errors import CaError
from ca_core.domain.identifiers import Serial
from ca_core.domain.path_validation import ChainLink

stdout = Console(highlight=False, markup=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

WIDE = frozenset(
    {"subject", "name", "email", "roles", "profile", "label", "hooks", "actor_name", "key_identifier", "details"}
)
"""Fields that are cut to fit a terminal. All others are there to be copied, and stay whole whatever the width."""
NARROWEST = 8
"""Columns that a wide field keeps."""
GAP = 2
"""Blanks between columns."""
UNTOLD: Mapping[type, frozenset[str]] = {
    Certificate: frozenset({"report_code_sha256"}),
    ChainLink: frozenset({"der"}),
    Document: frozenset({"wrapped_key", "key_id"}),
}
"""Fields that no reader needs."""
DAYS = frozenset({"not_after"})
"""Moments of which the day is enough on a terminal."""


def plain(value: Any) -> Any:
    """Domain objects as JSON values: bytes as hex, moments as ISO 8601, durations in seconds."""
    if isinstance(value, Serial):
        return value.hex
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in UNTOLD.get(type(value), ())
        }
    if isinstance(value, enum.Enum):
        return getattr(value, "label", value.value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID | Path):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


class Output:
    """Where a command's result goes."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def result(self, value: Any, text: str) -> None:
        """The one result of a command: ``value`` as JSON, or ``text`` for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")
        elif not self.quiet:
            stdout.print(text)

    def table(self, rows: Sequence[Any], columns: Mapping[str, str], *, next_cursor: str | None = None) -> None:
        """A list: all fields as JSON, the named columns for people."""
        if self.as_json:
            document = {"items": plain(rows), "next_cursor": next_cursor}
            sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
            return
        if not rows:
            stderr.print("nothing to show")
            return
        terminal = stdout.is_terminal
        cell = _short if terminal else _whole
        lines = [[*columns.values()], *([cell(name, getattr(row, name)) for name in columns] for row in rows)]
        widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
        if terminal:
            _fit(widths, [name in WIDE for name in columns], stdout.width - GAP * (len(widths) - 1))
        for line in lines:
            text = (" " * GAP).join(map(_padded, line, widths)).rstrip()
            stdout.print(text, style="bold" if line is lines[0] else None)
        if next_cursor:
            stderr.print(f"more: --cursor {next_cursor}")

    def error(self, error: CaError) -> None:
        """A refusal: one sentence on stderr, or its JSON on stdout."""
        if self.as_json:
            document = {"error": {"code": error.code, "detail": error.detail, "fields": plain(error.fields)}}
            sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
            return
        stderr.print(f"error: {error.detail}")
        for name, why in error.fields.items():
            stderr.print(f"  {name}: {why}")

    def say(self, text: str) -> None:
        """A word about what is going on, for people at a terminal only."""
        if not self.quiet and not self.as_json:
            stderr.print(text)

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int], None]]:
        """Show on a terminal how many are done, and how many a second; gives what is called with each few."""
        columns = (TextColumn("{task.completed:,} {task.description}"), TimeElapsedColumn())
        with Progress(
            *columns, console=stderr, transient=True, disable=self.quiet or self.as_json or not stderr.is_terminal
        ) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done: progress.advance(task, done)


def _fit(widths: list[int], wide: Sequence[bool], room: int) -> None:
    """Take from the widest of the wide columns until there is room, or nothing more to take."""
    while sum(widths) > room:
        width, at = max(((width, at) for at, width in enumerate(widths) if wide[at]), default=(0, 0))
        if width <= NARROWEST:
            return
        widths[at] = width - 1


def _padded(cell: str, width: int) -> str:
    return set_cell_size(cell, width) if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…"


def _short(name: str, value: Any) -> str:
    """A cell for a terminal: moments to the minute, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d" if name in DAYS else "%Y-%m-%d %H:%MZ")
    return _whole(name, value)


def _whole(_: str, value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
