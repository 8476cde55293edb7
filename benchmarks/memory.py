"""Memory of a process; a module by itself, so that whoever measures his own loads nothing beside."""

from __future__ import annotations

from pathlib import Path


def resident(process: int | str) -> tuple[int, int]:
    """MiB that a process (an id, or ``self``) has in memory: what is its own alone, and what is of mapped files, which
    all share."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    own, mapped = (int(status[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile"))
    return own, mapped
