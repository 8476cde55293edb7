"""The revocation of many certificates at once: shown first, asked for by one, approved by another, then carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.identifiers import Serial


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which certificates, of those that are issued or held; what is None does not matter. An authority's own are never
    among them."""

    issuer: UUID | None = None
    profile: str | None = None
    """``pack/name``, or ``imported``."""
    valid_from: datetime | None = None
    """notBefore at this moment or later."""
    valid_before: datetime | None = None
    """notBefore earlier than this."""
    serials: frozenset[Serial] | None = None

    @property
    def chooses(self) -> bool:
        chosen_by = (self.issuer, self.profile, self.valid_from, self.valid_before, self.serials)
        return any(one is not None for one in chosen_by)

    @property
    def told(self) -> Mapping[str, object]:
        """For the record; serial numbers by their count, since the digest tells which."""
        return {
            "issuer": None if self.issuer is None else str(self.issuer),
            "profile": self.profile,
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            "valid_before": None if self.valid_before is None else self.valid_before.isoformat(),
            "serials": None if self.serials is None else len(self.serials),
        }


class Chosen(NamedTuple):
    """One of the certificates."""

    id: UUID
    issuer: UUID
    serial: Serial
    state: CertificateState
    profile: str
    partition: int
    application: UUID | None
    owner: UUID
    spki_sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Intended:
    """What is said of all of them."""

    reason: RevocationReason
    invalidity_date: datetime | None
    words: str
    """Why, as each of them keeps it (:class:`~ca_core.domain.certificate.Ground`)."""


@dataclass(frozen=True, kw_only=True)
class MassRevocation:
    """One of them, from asking to the end."""

    id: UUID
    selection: Mapping[str, object]
    """:attr:`Selection.told`."""
    reason: RevocationReason
    invalidity_date: datetime | None
    words: str
    count: int
    digest: bytes
    """:func:`digest_of`: what was shown, asked for, approved and done is the same."""
    asked_by: UUID
    asked_at: datetime
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    done: int = 0
    """How many of them were gone through."""
    revoked: int = 0
    """How many of those were revoked; the others had been before."""
    finished_at: datetime | None = None
    version: int = 1


def digest_of(intended: Intended, chosen: Iterable[tuple[UUID, Serial]]) -> bytes:
    """SHA-256 over what is said, and the certificates by their identifiers."""
    since = intended.invalidity_date
    said = [intended.reason.label, since and since.isoformat(), intended.words]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode())
    for id, serial in chosen:
        digest.update(f"\n{id.hex} {serial.hex}".encode())
    return digest.digest()
