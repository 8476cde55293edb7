"""What commands print: one JSON document on stdout with ``--json``, else text; progress goes to stderr."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from ca_core.domain.errors import CaError
from ca_core.domain.identifiers import Serial

stdout = Console(highlight=False, markup=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, markup=False)


def plain(value: Any) -> Any:
    """Domain objects as JSON values: bytes as hex, moments as ISO 8601, durations in seconds."""
    if isinstance(value, Serial):
        return value.hex
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
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
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(_cell(getattr(row, name)) for name in columns))
        stdout.print(table)
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


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
