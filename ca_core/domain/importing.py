"""Certificates that another authority's software issued, taken over with the status that they had."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from ca_core.domain.certificate import CertificateState, RevocationReason

PROFILE = "imported"
"""Stands where our own certificates name their profile."""
GOOD = ""
"""The text of the status of whatever was neither held nor revoked."""


class ImportedStatus(NamedTuple):
    """That a certificate was held or revoked already when it was taken over."""

    revoked_at: datetime
    reason: RevocationReason
    invalidity_date: datetime | None = None

    @property
    def state(self) -> CertificateState:
        held = self.reason is RevocationReason.CERTIFICATE_HOLD
        return CertificateState.HELD if held else CertificateState.REVOKED

    @property
    def text(self) -> str:
        """As it is kept beside the certificate for good, since its state may change later."""
        moments = (self.revoked_at, self.invalidity_date)
        return " ".join([self.reason.name, *(one.isoformat() for one in moments if one is not None)])

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Back from :attr:`text`; None for :data:`GOOD`. ValueError or KeyError for anything else."""
        if text == GOOD:
            return None
        reason, *moments = text.split(" ")
        first, *rest = map(datetime.fromisoformat, moments)
        return cls(first, RevocationReason[reason], *rest)


class ReadCertificate(NamedTuple):
    """One certificate that was read and belongs to the issuer."""

    serial: str
    """Lower-case hex, whole octets."""
    der: bytes
    tbs: bytes
    sha256: bytes
    tbs_sha256: bytes
    spki_sha256: bytes
    subject: str
    """RFC 4514 text."""
    not_before: datetime
    not_after: datetime


class Refusal(NamedTuple):
    """One that was not taken in, and why."""

    source: str
    """The file."""
    position: int | None
    """Octets before it in the file; None for an entry of a list whose certificate was not given."""
    serial: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Import:
    """One stretch of certificates, taken in by one transaction."""

    id: UUID
    issuer: UUID
    owner: UUID
    """Whose all of them are; the system's own identity where they are nobody's."""
    at: datetime
    taken_by: UUID
    count: int | None = None
    """None while rows are added, which the database allows until then alone."""
    digest: bytes | None = None
    """:func:`rows_digest`."""


class ImportedRow(NamedTuple):
    """Of an imported row what never changes and is nowhere else."""

    id: UUID
    serial: str
    sha256: bytes
    status: str


def rows_digest(rows: Iterable[ImportedRow]) -> bytes:
    """SHA-256 over the rows of one import, by serial: what the record keeps of them."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda one: one.serial):
        digest.update(f"{row.id.hex} {row.serial} {row.sha256.hex()} {row.status}\n".encode())
    return digest.digest()
