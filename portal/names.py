"""Subject alternative names as people type them: one on a line."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from ca_core.domain.profile import SanType

Names = tuple[tuple[str, str], ...]


def parse_names(text: str, allowed: Collection[str]) -> Names:
    """(type, value) of each line: ``dns:example.org``, or the bare value where its form says what it is."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(_parse(line, allowed) for line in lines if line)


def format_names(names: Iterable[tuple[str, str]]) -> str:
    """The text that :func:`parse_names` reads back."""
    return "\n".join(f"{kind}:{value}" for kind, value in names)


def _parse(line: str, allowed: Collection[str]) -> tuple[str, str]:
    kind, colon, value = line.partition(":")
    if colon and kind.lower() in set(SanType):
        return kind.lower(), value.strip()
    if len(allowed) == 1:
        return next(iter(allowed)), line
    return _guessed(line), line


def _guessed(line: str) -> str:
    if "://" in line:
        return "uri"
    if "@" in line:
        return "email"
    try:
        ipaddress.ip_address(line)
    except ValueError:
        return "dns"
    return "ip"
