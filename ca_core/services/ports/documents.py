"""Documents: their rows, what looks into them, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.document import Document
from ca_core.services.ports.rows import Rows


class Documents(Rows[Document], Protocol):
    """Visibility of a document is that of its application."""

    def of(self, application: UUID) -> Sequence[Document]:
        """All, oldest first, superseded ones too."""
        ...

    def outlived(self, pack: str, *, before: datetime, limit: int) -> Sequence[Document]:
        """Documents with a data key whose application is closed and whose certificate ended before the moment; where
        none was issued, the application was made before it."""
        ...

    def longest_unchecked(self, limit: int) -> Sequence[tuple[Document, UUID]]:
        """Documents that count and are not destroyed, each with its owner, whose sealed bytes were last checked, or
        else received, the longest ago."""
        ...

    def counting(self, ids: Collection[UUID]) -> Sequence[tuple[Document, UUID]]:
        """Those of these that count and are not destroyed, each with its owner."""
        ...

    def mark_checked(self, ids: Collection[UUID], at: datetime) -> None: ...

    def add_view(self, document: UUID, account: UUID, page: int, sha256: bytes, at: datetime) -> None:
        """Record that the account was shown this page of these bytes; repeated views keep the first."""
        ...

    def pages_viewed(self, document: UUID, account: UUID) -> frozenset[int]:
        """Pages (from 1) that the account was shown."""
        ...

    def viewed_by(self, application: UUID, account: UUID) -> frozenset[UUID]:
        """Documents of the application of which the account was shown every page."""
        ...


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What an upload turned out to be."""

    media_type: str
    filename: str
    """Made safe to show and store."""
    pages: int


class DocumentInspector(Protocol):
    def inspect(self, data: bytes, *, filename: str) -> Inspection:
        """Type by content, full parse in a separate process; DocumentRejected."""
        ...


class PageRenderer(Protocol):
    def render(self, data: bytes, *, media_type: str, page: int) -> bytes:
        """One page (from 1) as PNG, drawn anew in a separate process."""
        ...


class MalwareScanner(Protocol):
    def scan(self, data: bytes) -> None:
        """DocumentRejected when infected; TryAgain when it cannot say and has to fail closed."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """Where and under which key the sealed bytes lie."""

    size: int
    sha256: bytes
    wrapped_key: bytes
    key_id: str


class ObjectStore(Protocol):
    """Write-once, encrypted."""

    def put(self, object_id: UUID, owner: UUID, data: bytes) -> StoredObject: ...

    def get(self, object_id: UUID, owner: UUID, *, wrapped_key: bytes, key_id: str) -> bytes: ...

    def destroy(self, object_id: UUID) -> None: ...

    def orphans(self, known: Callable[[UUID], bool], *, before: datetime) -> Iterable[UUID]:
        """Objects written before the moment that are not ``known``."""
        ...
