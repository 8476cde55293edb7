"""The archive of time-stamp tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.access import Visibility
from ca_core.domain.identifiers import Serial
from ca_core.domain.timestamp import LastTimestamp, Timestamp
from ca_core.services.ports.rows import Page


class Timestamps(Protocol):
    def last(self, tsa: UUID) -> LastTimestamp:
        """Where the archive ends. Nobody else adds to it until this transaction ends."""
        ...

    def clock(self) -> datetime:
        """What the database takes for the present."""
        ...

    def add_all(self, rows: Sequence[Timestamp]) -> None:
        """Insert them all with one statement, or none; the database refuses a sequence with gaps, and a genTime before
        the last one of the same authority."""
        ...

    def count(self) -> int: ...

    def between(self, first: int, last: int) -> Iterator[Timestamp]:
        """Those with these sequences, both ends included, in their order; whoever may see them."""
        ...

    def by_serial(self, serial: Serial, *, seen_by: Visibility) -> Timestamp: ...

    def find(
        self,
        *,
        seen_by: Visibility,
        imprint_sha256: bytes | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Timestamp]:
        """Newest first."""
        ...
