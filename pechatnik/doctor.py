"""``pechatnik doctor``: the readiness checks, and those of the machine around them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from ca_core.domain.errors import CaError
from pechatnik.bootstrap import build
from pechatnik.config import Config
from pechatnik.node.node import build as build_node
from pechatnik.readiness import Finding, examine as examine_program

FREE_BYTES = 1 << 30
"""Less than this free in the data directory is reported."""


def examine(config: Config) -> list[Finding]:
    """Every check there is, the machine's first; a program that cannot be built is one failed check."""
    findings = [_python(), _data(config), *_database_file(config), _disk(config)]
    try:
        return findings + (build_node(config).findings() if config.node.core_url else examine_program(build(config)))
    except CaError as error:
        return [*findings, Finding(name="start", ok=False, detail=error.detail)]


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(name="python", ok=sys.version_info >= (3, 11), detail=version)


def _data(config: Config) -> Finding:
    usable = config.data.is_dir() and os.access(config.data, os.W_OK)
    private = usable and config.data.stat().st_mode & 0o077 == 0
    if private:
        return Finding(name="data directory", ok=True, detail=str(config.data))
    why = "is open to other users; run: chmod 700" if usable else "is missing or not writable:"
    return Finding(name="data directory", ok=False, detail=f"{why} {config.data}")


def _database_file(config: Config) -> Iterator[Finding]:
    """Who else can read an embedded database; a directory that others cannot enter guards what is in it."""
    url = make_url(config.database_url)
    file = Path(url.database or "")
    if url.get_backend_name() != "sqlite" or not file.is_file():
        return
    private = not file.stat().st_mode & 0o077 or not file.absolute().parent.stat().st_mode & 0o077
    why = str(file) if private else f"is open to other users; run: chmod 600 {file}*"
    yield Finding(name="database file", ok=private, detail=why)


def _disk(config: Config) -> Finding:
    if not config.data.is_dir():
        return Finding(name="disk", ok=False, detail="no data directory")
    free = shutil.disk_usage(config.data).free
    return Finding(name="disk", ok=free > FREE_BYTES, detail=f"{free >> 20} MiB free")
