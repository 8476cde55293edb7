"""Backup and restore of an embedded installation: database, keys, documents, configuration; proved by digests.

With PostgreSQL the database has better tools of its own (``pg_dump``, base backups); this then copies everything else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import TypedDict

from ca_core.domain.errors import ConfigurationError, Duplicate, Refused
from ca_core.keys.last_seal import FOLDER as LAST_SEAL
from ocsp.answers import FOLDER as ANSWERS
from pechatnik.config import Config

MANIFEST = "manifest.json"
DATABASE = "pechatnik.sqlite"
SKIPPED = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"})
"""The live database's files; their content is copied through SQLite itself."""


class Summary(TypedDict):
    files: int
    bytes: int


def back_up(config: Config, config_path: Path, target: Path) -> Summary:
    """Copy everything into a new directory. The database goes last: what it names is there by then, since
    documents and keys are written before the rows that name them. Duplicate when the target exists."""
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise Duplicate(f"{target} exists already; a backup goes into a new directory") from None
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be made: {error.strerror}") from None
    source = config.data
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        # A name with a dot in front is a file that is being written.
        if path.is_dir() or relative.name in SKIPPED or relative.name.startswith(".") or target in path.parents:
            continue
        if relative.parts[0] == ANSWERS:  # made again from the rows, and never older than they are
            continue
        _copy(path, target / "data" / relative)
    _copy(config_path, target / "pechatnik.toml")
    live = source / DATABASE
    if live.exists():
        copy = target / "data" / DATABASE
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with sqlite3.connect(f"file:{live}?mode=ro", uri=True) as reading, sqlite3.connect(copy) as writing:
            reading.backup(writing)
        copy.chmod(0o600)
    digests = {
        str(path.relative_to(target)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    (target / MANIFEST).write_text(json.dumps(digests, indent=1), encoding="utf-8")
    return _summary(target, digests)


def restore(config: Config, source: Path) -> Summary:
    """Verify every digest first, then copy into an installation whose data directory has no database yet.

    Refused when a file is missing or changed; Duplicate when there is data already."""
    try:
        digests: dict[str, str] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise Refused(f"{source} has no readable {MANIFEST}; it is not a whole backup") from None
    for name, digest in digests.items():
        path = source / name
        if ".." in Path(name).parts or not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise Refused(f"{name} in the backup is missing or was changed; nothing was restored")
    refuse_existing(config)
    # What is restored may end before the last seal that this place saw.
    shutil.rmtree(config.data / LAST_SEAL, ignore_errors=True)
    # Answers about rows that are not there any more.
    shutil.rmtree(config.data / ANSWERS, ignore_errors=True)
    for name in digests:
        if name.startswith("data/"):
            _copy(source / name, config.data / Path(name).relative_to("data"))
    return _summary(source, digests)


def refuse_existing(config: Config) -> None:
    """Duplicate when the installation has a database: nothing is restored over one."""
    if (config.data / DATABASE).exists():
        raise Duplicate(f"{config.data} has a database already; restore into an empty installation")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _summary(root: Path, names: dict[str, str]) -> Summary:
    return Summary(files=len(names), bytes=sum((root / name).stat().st_size for name in names))
