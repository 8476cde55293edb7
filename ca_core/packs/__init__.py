"""Jurisdiction and organisation packs: folders of TOML files, checked at start, turned into profiles and calendars."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent / "data"
"""The folder of the packs that come with the program, one folder each."""


def shipped_packs() -> tuple[Path, ...]:
    """The folders of the packs that come with the program, by name."""
    return tuple(sorted(folder for folder in SHIPPED.iterdir() if folder.is_dir()))
