"""The archive of time-stamp tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, text, true

from ca_core.domain.access import Visibility
from ca_core.domain.errors import NotFound
from ca_core.domain.identifiers import Serial
from ca_core.domain.timestamp import LastTimestamp, Timestamp
from ca_core.services.ports import Page
from ca_core.storage.engine import database_clock
from ca_core.storage.rows import EntityRows, read_cursor, write_cursor
from ca_core.storage.tables import timestamps

T = timestamps.c
STAMP_LOCK = 0x7374616D
"""Of PostgreSQL's advisory locks: whoever stamps holds it to the end of the transaction."""


class TimestampRows(EntityRows[Timestamp]):
    """See :class:`ca_core.services.ports.Timestamps`."""

    what = "time-stamp token"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, timestamps, Timestamp)

    def last(self, tsa: UUID) -> LastTimestamp:
        if self._connection.dialect.name == "postgresql":
            self._execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=STAMP_LOCK))
        sequence = self._execute(select(func.max(T.sequence))).scalar_one()
        gen_time = self._execute(select(func.max(T.gen_time, type_=T.gen_time.type)).where(T.tsa == tsa)).scalar_one()
        return LastTimestamp(sequence=sequence or 0, gen_time=gen_time)

    def clock(self) -> datetime:
        return database_clock(self._connection)

    def count(self) -> int:
        return int(self._execute(select(func.count()).select_from(timestamps)).scalar_one())

    def between(self, first: int, last: int) -> Iterator[Timestamp]:
        return self._stream(self._select().where(T.sequence.between(first, last)).order_by(T.sequence))

    def by_serial(self, serial: Serial, *, seen_by: Visibility) -> Timestamp:
        found = self._one(self._select().where(T.serial == serial, self._visible(seen_by)))
        if found is None:
            raise NotFound(f"there is no such {self.what}, or none that you may see")
        return found

    def find(
        self,
        *,
        seen_by: Visibility,
        imprint_sha256: bytes | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Timestamp]:
        statement = self._select().where(self._visible(seen_by))
        if imprint_sha256 is not None:
            statement = statement.where(T.imprint_sha256 == imprint_sha256)
        if cursor is not None:
            (before,) = read_cursor(cursor, int)
            statement = statement.where(T.sequence < before)
        rows = self._all(statement.order_by(T.sequence.desc()).limit(limit + 1))
        items = rows[:limit]
        return Page(items=items, next_cursor=write_cursor(items[-1].sequence) if len(rows) > limit else None)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        return true() if seen_by.everything else T.requested_by == seen_by.owner
