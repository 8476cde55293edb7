"""Certificates taken over from another authority's software."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from ca_core.domain.importing import Import, ImportedRow, ImportedStatus, ReadCertificate


class Imports(Protocol):
    """An import is added open, gets its rows, and is closed with their count: all in one transaction."""

    def add(self, row: Import) -> None: ...

    def known(self, issuer: UUID, serials: Collection[str]) -> Mapping[str, bytes | None]:
        """Those of these serials (lower-case hex) that the issuer's certificates have already, with the fingerprint of
        each; at most some thousands at once."""
        ...

    def add_rows(
        self, taken: Import, rows: Sequence[tuple[UUID, ReadCertificate, ImportedStatus | None]]
    ) -> Sequence[ImportedRow]:
        """Insert certificates under the identifiers that are given; Duplicate where one is there."""
        ...

    def close(self, taken: Import) -> None:
        """Write count and digest; the database refuses another count than that of the rows, and rows from then on."""
        ...

    def rows(self, id: UUID) -> Iterator[ImportedRow]:
        """The rows of one import, in no order."""
        ...
