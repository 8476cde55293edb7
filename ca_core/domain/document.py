"""A document that an applicant sent in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class DocumentState(StrEnum):
    """Checking for type and malware happens before a row exists; what fails is refused at the door."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, kw_only=True)
class Document:
    """One upload, write-once; a newer one supersedes it."""

    id: UUID
    application: UUID
    kind: str
    """A document type of the profile's evidence table."""
    filename: str
    media_type: str
    size: int
    """Octets."""
    pages: int
    sha256: bytes
    """Of the plaintext as received."""
    wrapped_key: bytes | None
    """The data key under the key-encryption key; None once the document was destroyed. Its verdict stays, so that what
    was approved can be told for ever."""
    key_id: str
    state: DocumentState = DocumentState.PENDING
    reason: str | None = None
    """Code of the pack's refusal reason."""
    note: str = ""
    """What the applicant is told beside the reason."""
    uploaded_by: UUID
    uploaded_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    version: int = 1

    @property
    def counts(self) -> bool:
        """Whether it is part of what a reviewer decides on."""
        return self.state in (DocumentState.PENDING, DocumentState.ACCEPTED, DocumentState.REFUSED)


@dataclass(frozen=True, kw_only=True)
class PageView:
    """That an account was shown a page (from 1) of these bytes, for the first time."""

    document: UUID
    account: UUID
    page: int
    sha256: bytes
    at: datetime
