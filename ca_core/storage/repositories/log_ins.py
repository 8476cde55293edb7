"""Failed and successful log-ins by account and source."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.account import LogInFailures
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import accounts, log_in_failures

L = log_in_failures.c


class LogInRows(EntityRows[LogInFailures]):
    """See :class:`ca_core.services.ports.LogIns`."""

    def __init__(self, connection: Connection, *, now: datetime) -> None:
        super().__init__(connection, log_in_failures, LogInFailures)
        self._now = now

    def lock(self, account: UUID) -> None:
        self._execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update())

    def get(self, account: UUID, source_sha256: bytes) -> LogInFailures:  # type: ignore[override]  # has no id
        found = self._one(self._select().where(L.account == account, L.source_sha256 == source_sha256))
        return found or LogInFailures(account=account, source_sha256=source_sha256, since=self._now)

    def save(self, row: LogInFailures) -> None:
        values = self._values(row)
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(log_in_failures).values(values)
        self._execute(statement.on_conflict_do_update(index_elements=["account", "source_sha256"], set_=values))

    def forget(self, account: UUID) -> None:
        self._execute(delete(log_in_failures).where(L.account == account))

    def forget_quiet(self, *, counted_before: datetime, known_before: datetime) -> int:
        quiet = and_(L.since < counted_before, or_(L.last_success.is_(None), L.last_success < known_before))
        return self._execute(delete(log_in_failures).where(quiet)).rowcount
