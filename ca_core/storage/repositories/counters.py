"""Numbers that only grow."""

from __future__ import annotations

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.storage.refusals import translated
from ca_core.storage.tables import counters


def begin_at(connection: Connection, name: str, value: int) -> None:
    """Let a counter that was never asked go on from there; Duplicate for one that was."""
    with translated():
        connection.execute(insert(counters).values(name=name, value=value))


def next_value(connection: Connection, name: str) -> int:
    """One more than the last. The counter stays locked to the end of the transaction, so numbers follow commits."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(counters).values(name=name, value=1)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    with translated():
        return int(connection.execute(statement.returning(counters.c.value)).scalar_one())
