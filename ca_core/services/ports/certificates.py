"""Certificates and the authorities that sign them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from ca_core.domain.access import Visibility
from ca_core.domain.authority import Authority, PublishedCrl, PublishedHead
from ca_core.domain.certificate import Certificate, CertificateState, CertificateStatus, Ground
from ca_core.domain.identifiers import Serial
from ca_core.services.ports.rows import Page, Rows
from ca_core.x509.crl_entries import Revoked


class ChangedEntry(NamedTuple):
    """A certificate whose entry a delta list brings up to date."""

    id: UUID
    state: CertificateState
    revoked: Revoked
    """Its moment is that of the making where it has none of its own."""


class Certificates(Rows[Certificate], Protocol):
    def by_serial(self, serial: Serial, *, seen_by: Visibility, issuer: UUID | None = None) -> Certificate: ...

    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        application: UUID | None = None,
        text: str = "",
        expires_before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Certificate]:
        """Newest first. ``text`` matches serial (hex), subject, SHA-256 fingerprint (hex)."""
        ...

    def lookup(self, issuer: UUID, serial: Serial) -> Certificate | None:
        """For status answers: no visibility, since status is public."""
        ...

    def revoked(self, issuer: UUID, partition: int | None, *, unexpired_at: datetime) -> Iterator[Sequence[Revoked]]:
        """Held, revoked and abandoned certificates whose notAfter has not passed, by serial; streamed, so many at once
        as are written together. ``partition`` None means all of the issuer's."""
        ...

    def changed_entries(self, issuer: UUID, partition: int, *, unexpired_at: datetime) -> Sequence[ChangedEntry]:
        """Those whose entry differs from the one in the full list that is published, by serial; among them what is in
        good standing again. Partition 0 is the complete list."""
        ...

    def by_report_code(self, sha256: bytes) -> Certificate | None:
        """The certificate whose loss this code reports; the code itself is the authorisation."""
        ...

    def statuses(
        self, issuer: UUID, *, after: Serial | None, until: Serial | None, limit: int
    ) -> Sequence[CertificateStatus]:
        """What was signed, by serial: those after the first, up to and with the second."""
        ...

    def boundaries(self, issuer: UUID, *, every: int) -> Sequence[Serial]:
        """Each so many-th serial of an issuer, in the order of :meth:`statuses`."""
        ...

    def stale_intents(self, created_before: datetime, *, limit: int) -> Sequence[Certificate]: ...

    def intents_of(self, applications: Collection[UUID]) -> Sequence[Certificate]:
        """The open intents of these applications."""
        ...

    def issued_between(self, start: datetime, end: datetime) -> Iterator[Certificate]: ...

    def all_ids(self) -> Iterator[UUID]: ...

    def key_owners(self, spki_sha256: Collection[bytes]) -> frozenset[tuple[bytes, UUID]]:
        """Each of these keys with everybody who has a certificate over it."""
        ...

    def with_key(self, spki_sha256: bytes) -> Sequence[Certificate]:
        """Every certificate over this key, oldest first."""
        ...

    def block_key(self, spki_sha256: bytes, reason: str, at: datetime) -> bool:
        """Add to the block list of compromised keys; False when it was there already."""
        ...

    def blocked(self, spki_sha256: Collection[bytes]) -> frozenset[bytes]:
        """Those of these keys that are on the block list."""
        ...

    def block_keys(self, keys: Collection[bytes], reason: str, at: datetime) -> None:
        """As :meth:`block_key`, for many."""
        ...

    def is_blocked(self, spki_sha256: bytes) -> bool: ...

    def add_ground(self, ground: Ground) -> None: ...

    def add_grounds(self, grounds: Sequence[Ground]) -> None: ...

    def grounds(self, certificate: UUID) -> Sequence[Ground]:
        """What was said of its changes, oldest first."""
        ...


class Authorities(Rows[Authority], Protocol):
    def by_name(self, name: str) -> Authority: ...

    def all(self) -> Sequence[Authority]: ...

    def issuers(self) -> Sequence[Authority]:
        """Roots and issuing authorities, retired ones too: they go on answering for what they signed."""
        ...

    def responder_for(self, issuer: UUID, now: datetime) -> Authority | None:
        """The active OCSP responder under the issuer with the latest notAfter."""
        ...

    def active_tsas(self, now: datetime) -> Sequence[Authority]:
        """The active time-stamping authorities whose certificates are valid, the one with the latest notAfter first."""
        ...

    def next_crl_number(self, authority: UUID, partition: int) -> int:
        """One more than the last; the row lock is held to the end of the transaction (invariant 8)."""
        ...

    def newest_crl_number(self, authority: UUID, partition: int) -> int:
        """Of the lists that are published, full and delta; 0 before the first. Nobody else publishes one until this
        transaction ends."""
        ...

    def continue_crl_numbers(self, authority: UUID, last: int) -> None:
        """The complete list of an authority that has none here goes on from the number of one made elsewhere."""
        ...

    def publish_crl(self, crl: PublishedCrl) -> None:
        """Insert; the database refuses a number that is not higher than every earlier one of this list."""
        ...

    def current_crl(self, authority: UUID, partition: int, *, delta: bool = False) -> PublishedHead | None:
        """The full list that was published last, or the delta."""
        ...

    def crl_bytes(self, crl: PublishedHead) -> bytes:
        """What was signed."""
        ...

    def noted_changes(self, authority: UUID, partition: int) -> Sequence[int]:
        """Numbers of the notes of what changed since the full list that is published."""
        ...

    def forget_changes(self, notes: Sequence[int]) -> None:
        """Take out notes of what a full list has seen that is published in this transaction."""
        ...


class StatusAnswers(Protocol):
    """Answers about certificates that were signed beforehand and stand beside the database."""

    def forget(self, certificates: Collection[tuple[UUID, Serial]], issuers: Collection[UUID] = ()) -> None:
        """No answer about these (issuer and serial), nor about any certificate of those issuers, is given from now on.

        Called in the transaction that changes them, before it commits (invariant 10); an error ends the transaction."""
        ...
