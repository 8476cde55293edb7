"""A time-stamp token on record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ca_core.domain.identifiers import Serial


@dataclass(frozen=True, kw_only=True)
class Timestamp:
    """One token as it was handed out."""

    sequence: int
    """1, 2, 3 … without gaps."""
    tsa: UUID
    """Whose key signed it."""
    serial: Serial
    gen_time: datetime
    policy: str
    """OID."""
    hash_algorithm: str
    imprint_sha256: bytes
    """SHA-256 over the hashedMessage: what was stamped can be looked for, and is not told."""
    requested_by: UUID
    """The system's own where nobody has to say who he is."""
    der: bytes
    """The TimeStampToken."""


@dataclass(frozen=True, kw_only=True)
class LastTimestamp:
    """Where the archive ends, and where one authority stands in it."""

    sequence: int
    gen_time: datetime | None
    """Of its own last token; None before the first."""


def timestamps_digest(rows: Iterable[Timestamp]) -> bytes:
    """SHA-256 over everything that the rows say, in their order: what stands on record for them."""
    digest = hashlib.sha256()
    for row in rows:
        text = (
            f"{row.sequence} {row.tsa} {row.serial.hex} {row.gen_time.isoformat()} {row.policy} {row.hash_algorithm} "
            f"{row.imprint_sha256.hex()} {row.requested_by} {hashlib.sha256(row.der).hexdigest()}\n"
        )
        digest.update(text.encode())
    return digest.digest()
