"""The sealed form of a document: AES-256-GCM in chunks, so that it is written and read in constant memory.

Layout, version 1: the header ``PSD`` and a version octet, then chunks of 64 KiB plaintext (the last one shorter, or
empty), each followed by its tag of 16 octets. The nonce of a chunk is its number (11 octets, big endian) and an octet
that is 1 on the last one only; the header, object and owner are additional data. A chunk that was changed, moved,
dropped, repeated or taken from another document therefore does not open, and neither does a file cut at a chunk
boundary (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption, 2015, STREAM). The nonces may count
from zero since every document has a key of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ca_core.domain.errors import IntegrityAlarm

HEADER = b"PSD\x01"
CHUNK = 64 << 10
TAG = 16


class Source(Protocol):
    """Anything to read octets from."""

    def read(self, size: int, /) -> bytes: ...


def seal(source: Source, *, key: bytes, object_id: UUID, owner: UUID) -> Iterator[bytes]:
    """The sealed form of what ``source`` yields, in pieces."""
    yield HEADER
    cipher, bound = AESGCM(key), _bound(object_id, owner)
    for number, chunk, last in _numbered(source, CHUNK):
        yield cipher.encrypt(_nonce(number, last), chunk, bound)


def unseal(source: Source, *, key: bytes, object_id: UUID, owner: UUID) -> Iterator[bytes]:
    """The plaintext in pieces, each verified; IntegrityAlarm.

    Only the end of the iteration proves that nothing is missing: act on nothing before it."""
    cipher, bound = AESGCM(key), _bound(object_id, owner)
    if source.read(len(HEADER)) != HEADER:
        raise _broken(object_id)
    for number, chunk, last in _numbered(source, CHUNK + TAG):
        try:
            yield cipher.decrypt(_nonce(number, last), chunk, bound)
        except InvalidTag:
            raise _broken(object_id) from None


def _numbered(source: Source, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Pieces of ``size`` octets with their number and whether it is the last; one empty piece for an empty source."""
    number, piece = 0, _fill(source, size)
    while following := _fill(source, size):
        yield number, piece, False
        number, piece = number + 1, following
    yield number, piece, True


def _fill(source: Source, size: int) -> bytes:
    """``size`` octets, fewer only at the end: a pipe or socket may give less than was asked for."""
    piece = source.read(size)
    while len(piece) < size and (more := source.read(size - len(piece))):
        piece += more
    return piece


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _bound(object_id: UUID, owner: UUID) -> bytes:
    return HEADER + object_id.bytes + owner.bytes


def _broken(object_id: UUID) -> IntegrityAlarm:
    return IntegrityAlarm(
        f"the stored document {object_id} was changed or cut off outside of the authority; restore it from a backup"
    )
