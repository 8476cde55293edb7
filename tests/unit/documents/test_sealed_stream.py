"""A sealed stream opens only whole, in order, under its own key, object and owner."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.documents.sealed_stream import CHUNK, HEADER, TAG, seal, unseal
from ca_core.domain.errors import IntegrityAlarm

KEY = bytes(range(32))
OBJECT = UUID("01930000-0000-7000-8000-000000000001")
OWNER = UUID("01930000-0000-7000-8000-00000000000f")
PLAIN = bytes(3 * CHUNK + 100)
STEP = CHUNK + TAG


def sealed(data: bytes, *, key: bytes = KEY, object_id: UUID = OBJECT, owner: UUID = OWNER) -> bytes:
    return b"".join(seal(io.BytesIO(data), key=key, object_id=object_id, owner=owner))


def opened(data: bytes, *, key: bytes = KEY, object_id: UUID = OBJECT, owner: UUID = OWNER) -> bytes:
    return b"".join(unseal(io.BytesIO(data), key=key, object_id=object_id, owner=owner))


SEALED = sealed(PLAIN)
CHUNKS = [SEALED[at : at + STEP] for at in range(len(HEADER), len(SEALED), STEP)]


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1],
)
def test_every_size_comes_back(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert opened(sealed(data)) == data


def test_a_source_that_gives_a_little_at_a_time_is_sealed_the_same() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    assert b"".join(seal(Trickle(PLAIN), key=KEY, object_id=OBJECT, owner=OWNER)) == SEALED
    assert b"".join(unseal(Trickle(SEALED), key=KEY, object_id=OBJECT, owner=OWNER)) == PLAIN


@pytest.mark.parametrize(
    "tampered",
    [
        b"",
        HEADER,
        HEADER[:3] + b"\x02" + SEALED[4:],
        SEALED[:-1],
        HEADER + b"".join(CHUNKS[:-1]),
        HEADER + CHUNKS[0],
        HEADER + b"".join([CHUNKS[1], CHUNKS[0], *CHUNKS[2:]]),
        HEADER + b"".join([CHUNKS[0], *CHUNKS]),
        HEADER + b"".join([CHUNKS[0], *CHUNKS[2:]]),
        HEADER + b"".join(CHUNKS[1:]),
        SEALED + CHUNKS[-1],
        SEALED + b"\0",
        HEADER + b"".join([sealed(PLAIN, key=b"k" * 32)[len(HEADER) :][:STEP], *CHUNKS[1:]]),
        HEADER + b"".join([sealed(PLAIN, object_id=OWNER)[len(HEADER) :][:STEP], *CHUNKS[1:]]),
    ],
    ids=[
        "empty",
        "only-header",
        "other-version",
        "last-octet-cut",
        "last-chunk-cut",
        "all-but-first-chunk-cut",
        "two-chunks-exchanged",
        "chunk-repeated",
        "chunk-dropped",
        "first-chunk-dropped",
        "last-chunk-repeated",
        "octet-added",
        "chunk-of-another-key",
        "chunk-of-another-object",
    ],
)
def test_tampering_is_an_alarm(tampered: bytes) -> None:
    with pytest.raises(IntegrityAlarm):
        opened(tampered)


@pytest.mark.parametrize(
    ("key", "object_id", "owner"),
    [(b"k" * 32, OBJECT, OWNER), (KEY, OWNER, OWNER), (KEY, OBJECT, OBJECT)],
    ids=["other-key", "other-object", "other-owner"],
)
def test_it_opens_for_nobody_else(key: bytes, object_id: UUID, owner: UUID) -> None:
    with pytest.raises(IntegrityAlarm):
        opened(SEALED, key=key, object_id=object_id, owner=owner)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_any_changed_octet_is_an_alarm(at: int, change: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= change
    with pytest.raises(IntegrityAlarm):
        opened(bytes(changed))


@given(st.binary(max_size=500))
@settings(deadline=None)
def test_random_bytes_are_an_alarm(data: bytes) -> None:
    with pytest.raises(IntegrityAlarm):
        opened(HEADER + data)
