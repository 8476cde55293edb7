"""Connections: SQLite as one careful writer, PostgreSQL through psycopg."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from ca_core.domain.errors import ConfigurationError, TryAgain
from ca_core.storage.writer_turn import WriterTurn

BUSY_TIMEOUT = 30_000
"""Milliseconds that SQLite waits for the one writer before."""
TURN = "turn"
"""Key in ``Connection.info``: the turn to write, while a transaction has it."""
FAILED = "failed"
"""Mark in ``Connection.info``: a statement of the present transaction failed."""


def engine_for(url: str, *, synchronous: str = "FULL") -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql+psycopg://…``; ConfigurationError for others.

    ``synchronous`` is SQLite's: with ``FULL`` a commit has reached the disk, with ``NORMAL`` the last ones may be
    lost when power fails."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername == "postgresql+psycopg":
            engine = create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=True)
            event.listen(engine, "handle_error", _mark_failed)
            return engine
        if parsed.drivername not in ("sqlite", "sqlite+pysqlite") or parsed.database in (None, "", ":memory:"):
            raise ConfigurationError("database.url: use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        engine = create_engine(parsed, pool_size=10, max_overflow=20, connect_args={"timeout": BUSY_TIMEOUT / 1000})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, TypeError, ValueError) as error:
        raise ConfigurationError(f"database.url cannot be used: {type(error).__name__}") from None
    event.listen(engine, "handle_error", _mark_failed)
    sqlite = _Sqlite(os.path.abspath(parsed.database or ""), synchronous)
    event.listen(engine, "connect", sqlite.prepare)
    event.listen(engine, "begin", sqlite.begin)
    event.listen(engine, "checkin", sqlite.end)
    return engine


class _Sqlite:
    def __init__(self, path: str, synchronous: str) -> None:
        if synchronous not in ("FULL", "NORMAL"):
            raise ConfigurationError("database.synchronous is FULL or NORMAL")
        self._path = path
        self._synchronous = synchronous
        self._opened: tuple[int, int] | None = None
        self._turn = WriterTurn(path, timeout=BUSY_TIMEOUT / 1000)

    def prepare(self, connection: Any, _record: object) -> None:
        """What SQLite forgets with each connection."""
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {self._synchronous}",
            "foreign_keys = ON",
            f"busy_timeout = {BUSY_TIMEOUT}",
            "trusted_schema = OFF",
            "recursive_triggers = ON",  # or INSERT OR REPLACE deletes a row that no DELETE may
        ):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows no letters but those of ASCII.
        connection.create_function("lower", 1, _lower, deterministic=True)
        if self._opened is None:
            self._opened = self._there()

    def begin(self, connection: Connection) -> None:
        # What is written into a file that was moved away is acknowledged, and lost with the next start; and of two
        # files, each connection of the pool would read its own.
        if self._there() != self._opened:
            raise TryAgain(
                "the database file was moved away or replaced while it was in use; put it back, or restart",
                retry_after=60,
            )
        # A transaction that starts by reading and then writes can find that another wrote in between, and must fail:
        # so whoever may write takes the writer's place at once.
        reads = connection.get_execution_options().get("read_only", False)
        # Said anew each time, so that nothing has to be put back however a transaction ends.
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        if not reads:
            connection.info[TURN] = self._turn.take()
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    def end(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """The connection goes back to the pool, its transaction is over."""
        turn = record.info.pop(TURN, None)
        if turn is not None:
            self._turn.give_back(turn)

    def _there(self) -> tuple[int, int] | None:
        """Which file the path leads to now."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _mark_failed(context: ExceptionContext) -> None:
    if context.connection is not None and not context.connection.invalidated:
        context.connection.info[FAILED] = True


def clock_of(engine: Engine) -> datetime:
    """What the database takes for the present."""
    with engine.connect() as connection:
        return database_clock(connection)


def database_clock(connection: Connection) -> datetime:
    """What the database takes for the present, also in the middle of a transaction."""
    if connection.dialect.name == "sqlite":
        seconds = connection.execute(text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one()
        return datetime.fromtimestamp(seconds, UTC)
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
