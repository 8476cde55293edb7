"""Rows, and lists of them page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from ca_core.domain.access import Visibility

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list; ``next_cursor`` is opaque and None at the end."""

    items: Sequence[T]
    next_cursor: str | None


class Rows(Protocol[T]):
    """Rows of one kind. Every read names who looks (invariant 13); every change names the version it saw."""

    def get(self, id: UUID, *, seen_by: Visibility) -> T:
        """The row, or NotFound: also when the caller may not see it."""
        ...

    def add(self, row: T) -> None:
        """Insert; Duplicate where a unique constraint says so."""
        ...

    def replace(self, row: T) -> T:
        """Compare-and-set: write the row if its ``version`` is still the stored one, else StaleVersion.

        Returns it with the version it has now (one more)."""
        ...

    def add_all(self, rows: Sequence[T]) -> None:
        """Insert them all with one statement, or none."""
        ...

    def replace_all(self, rows: Sequence[T], *, columns: Collection[str]) -> Sequence[T]:
        """As :meth:`replace`, for many with one statement: all or none. Only these fields may differ from what is
        stored."""
        ...

    def among(self, ids: Collection[UUID]) -> Sequence[T]:
        """Those of these that there are, whoever may see them; at most a few hundred at once."""
        ...

    def unchanged(self, seen: Mapping[UUID, int]) -> frozenset[UUID]:
        """Those that still have the version that was seen; nobody changes them until this transaction ends."""
        ...


class AllRows(Protocol):
    """Every row of a kind, whoever may see it: for comparing rows with the record, and for nothing else."""

    def each(self, kind: type[T]) -> Iterator[T]:
        """In the order of their primary key; streamed."""
        ...

    def among(self, kind: type[T], column: str, values: Collection[object]) -> Sequence[T]:
        """Those with one of the values in that column, at most a few hundred of them, in the same order."""
        ...
