"""Connections: SQLite as one careful writer, PostgreSQL through psycopg."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ca_core.domain.errors import ConfigurationError

BUSY_TIMEOUT = 30_000
"""Milliseconds that SQLite waits for the one writer before."""


def engine_for(url: str, *, synchronous: str = "FULL") -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql+psycopg://…``; ConfigurationError for others.

    ``synchronous`` is SQLite's: with ``FULL`` a commit has reached the disk, with ``NORMAL`` the last ones may be
    lost when power fails."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername == "postgresql+psycopg":
            return create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=True)
        if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise ConfigurationError("database.url: use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        engine = create_engine(parsed, pool_size=10, max_overflow=20, connect_args={"timeout": BUSY_TIMEOUT / 1000})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"database.url cannot be used: {type(error).__name__}") from None
    event.listen(engine, "connect", _Sqlite(synchronous).prepare)
    event.listen(engine, "begin", _begin)
    return engine


class _Sqlite:
    def __init__(self, synchronous: str) -> None:
        if synchronous not in ("FULL", "NORMAL"):
            raise ConfigurationError("database.synchronous is FULL or NORMAL")
        self._synchronous = synchronous

    def prepare(self, connection: Any, _record: object) -> None:
        """What SQLite forgets with each connection."""
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {self._synchronous}",
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT}",
            "trusted_schema = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that starts by reading and then writes can find that another wrote in between, and must fail:
    # so whoever may write takes the writer's place at once.
    reads = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
