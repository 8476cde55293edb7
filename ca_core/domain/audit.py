"""The audit record and the arithmetic of its chain; needs no database, so an auditor can run it anywhere.

Each record's ``digest`` is SHA-256 over its canonical JSON, which holds the digest of the record before it; its
``mac`` is HMAC-SHA-256 over that digest under the audit key named by ``key_id``. Checkpoints sign (sequence, digest)
with an asymmetric key, so that whoever can write the table and knows the MAC key still cannot rewrite the past.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

GENESIS = bytes(32)
"""What the first record points back to."""


def said(text: str) -> str:
    """What stands on record for words of people, which may tell of persons: their SHA-256, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """A fact to be recorded, before it has its place in the chain. Holds identifiers and digests, no personal data."""

    at: datetime
    actor: UUID
    actor_name: str
    action: str
    """``application.approved``."""
    object_kind: str
    object_id: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """An event in its place."""

    sequence: int
    """1, 2, 3 … without gaps."""
    at: datetime
    actor: UUID
    actor_name: str
    action: str
    object_kind: str
    object_id: str
    details: Mapping[str, object]
    previous: bytes
    digest: bytes
    key_id: str
    mac: bytes


@dataclass(frozen=True, kw_only=True)
class AuditCheckpoint:
    """A signature over the chain up to one record."""

    sequence: int
    digest: bytes
    at: datetime
    key_reference: str
    public_key_info: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row that does not say what the record says, or one of them without the other. Names no persons: it may go on
    record itself."""

    table: str
    object: str
    """Serial number of a certificate, identifier of any other row."""
    detail: str
    """What differs, in words."""
    record: int | None = None
    """Sequence of the record that tells otherwise; None where there is none."""

    def __str__(self) -> str:
        return f"{self.table} {self.object}: {self.detail}"


def record_digest(event: AuditEvent, *, sequence: int, previous: bytes, key_id: str) -> bytes:
    """SHA-256 over the canonical JSON of one record and its link."""
    canonical = json.dumps(
        {
            "sequence": sequence,
            "at": event.at.isoformat(),
            "actor": str(event.actor),
            "actor_name": event.actor_name,
            "action": event.action,
            "object_kind": event.object_kind,
            "object_id": event.object_id,
            "details": event.details,
            "previous": previous.hex(),
            "key_id": key_id,
        },
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).digest()


def chain(event: AuditEvent, *, sequence: int, previous: bytes, key_id: str, key: bytes) -> AuditRecord:
    """Put an event into its place."""
    digest = record_digest(event, sequence=sequence, previous=previous, key_id=key_id)
    return AuditRecord(
        sequence=sequence,
        at=event.at,
        actor=event.actor,
        actor_name=event.actor_name,
        action=event.action,
        object_kind=event.object_kind,
        object_id=event.object_id,
        details=event.details,
        previous=previous,
        digest=digest,
        key_id=key_id,
        mac=hmac.new(key, digest, hashlib.sha256).digest(),
    )


def checkpoint_message(sequence: int, digest: bytes) -> bytes:
    """The bytes a checkpoint signs."""
    return b"pechatnik-audit-checkpoint-1\0" + sequence.to_bytes(8, "big") + digest
