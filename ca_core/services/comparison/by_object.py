"""Rows whose records can be asked for: each was made by a record, and says what its records say, no more and no less.

Nothing is held for the rows: while the record is walked, the row of each making is asked for; then the rows are read
in batches, each with the records about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from ca_core.domain.audit import AuditRecord, Fault
from ca_core.domain.errors import CaError
from ca_core.services.ports import Transaction

BATCH = 500
"""Rows looked at together."""

R = TypeVar("R")
Said = tuple[int, object]
"""The record that said it last, and what."""


class Comparison(Protocol):
    """One kind of rows beside the record. Fed every genuine record in its order, then asked once for the faults."""

    table: ClassVar[str]

    def feed(self, tx: Transaction, record: AuditRecord) -> None: ...

    def faults(self, tx: Transaction) -> Iterator[Fault]: ...


class ByObject(ABC, Generic[R]):
    """A :class:`Comparison` of entities of one class. ``R`` has an ``id``, or :meth:`key` is another."""

    table: ClassVar[str]
    kind: type[R]
    made_by: ClassVar[frozenset[str]]
    """Actions whose record comes with a row."""
    actions: ClassVar[frozenset[str]] = frozenset()
    """Others that tell of it."""

    def __init__(self) -> None:
        self._made: dict[str, AuditRecord] = {}
        self._gone: list[Fault] = []

    @abstractmethod
    def recorded(self, records: Sequence[AuditRecord]) -> Mapping[str, Said]:
        """What the records together say of the row, by name."""

    @abstractmethod
    def stated(self, row: R) -> Mapping[str, object]:
        """What the row says under the same names."""

    def made(self, record: AuditRecord) -> str:
        """Key of the row that this record comes with."""
        return record.object_id

    def key(self, row: R) -> str:
        return str(row.id)  # type: ignore[attr-defined]  # the kinds without override it

    def about(self, row: R) -> str:
        """The object under which its records are."""
        return self.key(row)

    def name(self, row: R) -> str:
        """What a fault calls it."""
        return self.key(row)

    def known(self, tx: Transaction, keys: Collection[str]) -> Collection[str]:
        """Those of these for which there are rows."""
        return {self.key(row) for row in tx.all_rows.among(self.kind, "id", identifiers(keys))}

    def others(self, tx: Transaction, rows: Sequence[R]) -> Mapping[str, Sequence[AuditRecord]]:
        """Records under other objects that tell of these rows, by key."""
        return {}

    def contradictions(self, tx: Transaction, row: R) -> Iterator[str]:
        """What does not fit within the row, or to other rows."""
        return iter(())

    def feed(self, tx: Transaction, record: AuditRecord) -> None:
        if record.action in self.made_by:
            self._made[self.made(record)] = record
            if len(self._made) >= BATCH:
                self._look_for_made(tx)

    def faults(self, tx: Transaction) -> Iterator[Fault]:
        self._look_for_made(tx)
        yield from self._gone
        for batch in batches(tx, self.kind):
            records = self._records(tx, batch)
            for row in batch:
                try:
                    yield from self._compared(tx, row, records[self.key(row)])
                except Exception as error:  # of a row, or of its records, which need not be genuine; others wait
                    yield unreadable(self.table, error, object=self.name(row))

    def _records(self, tx: Transaction, rows: Sequence[R]) -> Mapping[str, Sequence[AuditRecord]]:
        by_object = defaultdict(list)
        for record in tx.audit.about({self.about(row) for row in rows}, self.made_by | self.actions):
            by_object[record.object_id].append(record)
        others = self.others(tx, rows)
        return {
            self.key(row): sorted(
                [
                    *(one for one in by_object[self.about(row)] if self.concerns(one, row)),
                    *others.get(self.key(row), ()),
                ],
                key=lambda one: one.sequence,
            )
            for row in rows
        }

    def concerns(self, record: AuditRecord, row: R) -> bool:
        """Whether a record about the object tells of this row of it."""
        return True

    def _compared(self, tx: Transaction, row: R, records: Sequence[AuditRecord]) -> Iterator[Fault]:
        name = self.name(row)
        if not any(one.action in self.made_by for one in records):
            yield Fault(table=self.table, object=name, detail="there is no record of its making")
            return
        stated = self.stated(row)
        for what, (sequence, said) in self.recorded(records).items():
            if stated[what] != said:
                yield Fault(
                    table=self.table,
                    object=name,
                    detail=f"{what} is {in_words(stated[what])}, by record {sequence} {in_words(said)}",
                    record=sequence,
                )
        for detail in self.contradictions(tx, row):
            yield Fault(table=self.table, object=name, detail=detail)

    def _look_for_made(self, tx: Transaction) -> None:
        for key in self._made.keys() - set(self.known(tx, self._made.keys())):
            record = self._made[key]
            detail = f"its row is gone, by record {record.sequence} there is one"
            name = str(record.details.get("serial", key))
            self._gone.append(Fault(table=self.table, object=name, detail=detail, record=record.sequence))
        self._made.clear()


def batches(tx: Transaction, kind: type[R]) -> Iterator[Sequence[R]]:
    """Every row of that kind, so many at once as are looked at together."""
    rows = tx.all_rows.each(kind)
    while batch := list(islice(rows, BATCH)):
        yield batch


def identifiers(keys: Iterable[str]) -> list[UUID]:
    """Those of the keys that can be identifiers."""
    found = []
    for key in keys:
        with suppress(ValueError):
            found.append(UUID(key))
    return found


def unreadable(table: str, error: Exception, *, object: str = "unreadable") -> Fault:
    """What could not be looked at is a fault, and not the end of the look. Messages of errors that are not our own may
    hold personal data: of those it says the class alone."""
    what = error.detail if isinstance(error, CaError) else type(error).__name__
    return Fault(table=table, object=object, detail=f"a row or a record cannot be read ({what})")


def in_words(value: object) -> str:
    """A value of a row or record, for a sentence."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(str, value))) or "nothing"
    return str(value)
