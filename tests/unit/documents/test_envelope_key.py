"""A document's data key opens only under its own key-encryption key, object and owner."""

from __future__ import annotations

import secrets
from uuid import UUID

import pytest

from ca_core.documents.envelope_key import KeyWrap
from ca_core.domain.errors import ConfigurationError, IntegrityAlarm, KeyUnavailable

OBJECT = UUID("01930000-0000-7000-8000-000000000001")
OWNER = UUID("01930000-0000-7000-8000-00000000000f")
DATA_KEY = bytes(range(32))


class KeyRing:
    """Key-encryption keys in memory; the last one is current."""

    def __init__(self, **keys: bytes) -> None:
        self.keys = keys

    def current(self, purpose: str) -> tuple[str, bytes]:
        assert purpose == "documents"
        return list(self.keys.items())[-1]

    def get(self, key_id: str) -> bytes:
        try:
            return self.keys[key_id]
        except KeyError:
            raise KeyUnavailable(f"there is no key {key_id}") from None


RING = KeyRing(old=b"o" * 32, new=b"n" * 32)
WRAPPED = KeyWrap(RING, secrets.token_bytes).wrap(DATA_KEY, OBJECT, OWNER)


def test_a_key_is_wrapped_under_the_current_key_and_never_twice_the_same() -> None:
    again = KeyWrap(RING, secrets.token_bytes).wrap(DATA_KEY, OBJECT, OWNER)
    assert WRAPPED.key_id == "new"
    assert len(WRAPPED.wrapped_key) == 61
    assert again.wrapped_key != WRAPPED.wrapped_key
    assert KeyWrap(RING, secrets.token_bytes).unwrap(WRAPPED.wrapped_key, "new", OBJECT, OWNER) == DATA_KEY


@pytest.mark.parametrize(
    ("wrapped", "key_id", "object_id", "owner"),
    [
        (WRAPPED.wrapped_key, "old", OBJECT, OWNER),
        (WRAPPED.wrapped_key, "new", OWNER, OWNER),
        (WRAPPED.wrapped_key, "new", OBJECT, OBJECT),
        (WRAPPED.wrapped_key[:-1], "new", OBJECT, OWNER),
        (WRAPPED.wrapped_key + b"\0", "new", OBJECT, OWNER),
        (WRAPPED.wrapped_key[:5], "new", OBJECT, OWNER),
        (WRAPPED.wrapped_key[:14], "new", OBJECT, OWNER),
        (b"", "new", OBJECT, OWNER),
        (b"\x02" + WRAPPED.wrapped_key[1:], "new", OBJECT, OWNER),
    ],
    ids=[
        "other-key",
        "other-object",
        "other-owner",
        "shortened",
        "lengthened",
        "no-nonce",
        "no-tag",
        "empty",
        "other-version",
    ],
)
def test_a_wrapped_key_that_does_not_fit_is_an_alarm(wrapped: bytes, key_id: str, object_id: UUID, owner: UUID) -> None:
    with pytest.raises(IntegrityAlarm):
        KeyWrap(RING, secrets.token_bytes).unwrap(wrapped, key_id, object_id, owner)


def test_the_key_id_itself_is_bound() -> None:
    twins = KeyRing(one=b"k" * 32, two=b"k" * 32)
    wrapped = KeyWrap(twins, secrets.token_bytes).wrap(DATA_KEY, OBJECT, OWNER)
    with pytest.raises(IntegrityAlarm):
        KeyWrap(twins, secrets.token_bytes).unwrap(wrapped.wrapped_key, "one", OBJECT, OWNER)


def test_an_unknown_key_is_what_the_key_ring_says() -> None:
    with pytest.raises(KeyUnavailable):
        KeyWrap(RING, secrets.token_bytes).unwrap(WRAPPED.wrapped_key, "gone", OBJECT, OWNER)


def test_a_key_of_the_wrong_length_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        KeyWrap(KeyRing(short=b"k" * 16), secrets.token_bytes).wrap(DATA_KEY, OBJECT, OWNER)
