"""Rows to frozen entities and back: a column has the name of the field, so one mapping serves every table."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, RowMapping, Select, Table, bindparam, insert, select, true, update

from ca_core.domain.access import Visibility
from ca_core.domain.errors import IntegrityAlarm, InvalidInput, NotFound, StaleVersion
from ca_core.storage.refusals import translated

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Executable

T = TypeVar("T")
STREAM = 500
"""Rows that a streamed read fetches at once."""


class EntityRows(Generic[T]):
    """Reading and writing one table as entities of one class."""

    what: str = "object"
    """How a NotFound names it."""

    def __init__(self, connection: Connection, table: Table, kind: type[T]) -> None:
        self._connection = connection
        self._table = table
        self._kind = kind
        self._fields = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # kinds are dataclasses
        self._pending: list[T] = []

    def get(self, id: UUID, *, seen_by: Visibility) -> T:
        """The row, or NotFound: also when the caller may not see it (invariant 13)."""
        found = self._one(self._select().where(self._table.c.id == id, self._visible(seen_by)))
        if found is None:
            raise NotFound(f"there is no such {self.what}, or none that you may see")
        return found

    def add(self, row: T) -> None:
        """Insert; Duplicate where a unique constraint says so."""
        # Values beside the statement, not in it: so it is compiled once for all rows.
        self._execute(self._insertion().values(self._computed(row)), self._values(row))

    def add_all(self, rows: Sequence[T]) -> None:
        """Insert them all with one statement, or none; Duplicate as of :meth:`add`."""
        if rows:
            self._execute(self._insertion(), [self._values(row) for row in rows])

    def add_later(self, row: T) -> None:
        """Insert it with all that wait by then: before the next statement here, or :meth:`write_pending`."""
        if self._connection.closed:
            raise IntegrityAlarm(f"a {self.what} was to be added to a transaction that has ended")
        self._pending.append(row)

    def has_pending(self) -> bool:
        return bool(self._pending)

    def write_pending(self) -> None:
        """Insert what waits."""
        rows, self._pending = self._pending, []
        self.add_all(rows)

    def replace(self, row: T) -> T:
        """Write it if its version is still the stored one, else StaleVersion; it comes back with the next version."""
        version: int = row.version  # type: ignore[attr-defined]  # kinds that are replaced have one
        newer: T = replace(row, version=version + 1)  # type: ignore[type-var]
        id: UUID = row.id  # type: ignore[attr-defined]
        statement = update(self._table).where(self._table.c.id == id, self._table.c.version == version)
        if self._execute(statement.values(self._computed(newer)), self._values(newer)).rowcount != 1:
            raise StaleVersion(f"somebody changed this {self.what} meanwhile; look at it again")
        return newer

    def replace_all(self, rows: Sequence[T], *, columns: Collection[str]) -> Sequence[T]:
        """As :meth:`replace`, for many with one statement: all or none. Only these fields may differ from what is
        stored."""
        newer: list[T] = [replace(row, version=row.version + 1) for row in rows]  # type: ignore[type-var,attr-defined]
        written = {name: bindparam(f"new_{name}", type_=self._table.c[name].type) for name in (*columns, "version")}
        c = self._table.c
        statement = update(self._table).where(c.id == bindparam("old_id"), c.version == bindparam("old_version"))
        found = [
            {"old_id": row.id, "old_version": row.version - 1}  # type: ignore[attr-defined]
            | {f"new_{name}": getattr(row, name) for name in written}
            for row in newer
        ]
        if found and self._execute(statement.values(written), found).rowcount != len(found):
            raise StaleVersion(f"somebody changed one of these {self.what}s meanwhile; look at them again")
        return newer

    def among(self, ids: Collection[UUID]) -> Sequence[T]:
        """Those of these that there are."""
        return self._all(self._select().where(self._table.c.id.in_(ids))) if ids else ()

    def unchanged(self, seen: Mapping[UUID, int]) -> frozenset[UUID]:
        """Those whose version is the one that was seen, and stays so until this transaction ends: on PostgreSQL their
        rows are locked, on SQLite whoever may write is the only one."""
        if not seen:
            return frozenset()
        c = self._table.c
        locked = select(c.id, c.version).where(c.id.in_(seen)).with_for_update(read=True)
        return frozenset(row.id for row in self._execute(locked) if seen[row.id] == row.version)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        """The filter that every read carries; tables of the authority's own hide nothing."""
        return true()

    def _extra(self, row: T) -> Mapping[str, Any]:
        """Columns beside the entity's fields."""
        return {}

    def _insertion(self) -> Insert:
        return insert(self._table)

    def _computed(self, row: T) -> Mapping[str, ColumnElement[Any]]:
        """Columns that the database computes from what else it has."""
        return {}

    def _values(self, row: T) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self._fields} | dict(self._extra(row))

    def _entity(self, row: RowMapping) -> T:
        return self._kind(**{name: row[name] for name in self._fields})

    def _select(self) -> Select[Any]:
        return select(*(self._table.c[name] for name in self._fields))

    def _one(self, statement: Select[Any]) -> T | None:
        row = self._execute(statement.limit(1)).mappings().first()
        return None if row is None else self._entity(row)

    def _all(self, statement: Select[Any]) -> Sequence[T]:
        return [self._entity(row) for row in self._execute(statement).mappings()]

    def _stream(self, statement: Select[Any]) -> Iterator[T]:
        self.write_pending()
        with translated():
            result = self._connection.execute(statement, execution_options={"yield_per": STREAM})
            for row in result.mappings():
                yield self._entity(row)

    def _execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        if self._pending:
            self.write_pending()
        with translated():
            return self._connection.execute(statement, values)


def text_pattern(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, its own wildcards escaped with a backslash; lower case."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def write_cursor(*values: object) -> str:
    """An opaque position in a list."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode("ascii")


def read_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The values of :func:`write_cursor`; InvalidInput for anything that it did not write."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(values, list) and [type(value) for value in values] == list(kinds):
            return values
    except (ValueError, binascii.Error, RecursionError):
        pass
    raise InvalidInput("the cursor is not one that a list gave; start from the beginning")


def read_id_cursor(cursor: str) -> UUID:
    """The identifier in a cursor of one."""
    (value,) = read_cursor(cursor, str)
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput("the cursor is not one that a list gave; start from the beginning") from None


def words(states: Iterable[str]) -> list[str]:
    """States as the words that columns hold."""
    return [str(state) for state in states]
