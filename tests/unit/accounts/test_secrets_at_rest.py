"""Sealed secrets and hashed passwords."""

from __future__ import annotations

import secrets

import pytest

from ca_core.domain.errors import IntegrityAlarm, NotFound
from ca_core.keys.password_hash import Argon2Hasher
from ca_core.services.sealing import Sealing

KEYS = {"account.000001.aaaaaaaa": bytes(32), "account.000002.bbbbbbbb": bytes(range(32))}
CHEAP = Argon2Hasher(time_cost=1, memory_kib=8, lanes=1)


class TwoKeys:
    """The symmetric keys of an installation that rotated once."""

    def __init__(self, newest: str = "account.000002.bbbbbbbb") -> None:
        self.newest = newest

    def current(self, purpose: str) -> tuple[str, bytes]:
        assert purpose == "account"
        return self.newest, KEYS[self.newest]

    def get(self, key_id: str) -> bytes:
        if key_id not in KEYS:
            raise NotFound("no such key")
        return KEYS[key_id]


def test_what_was_sealed_opens_for_its_owner_also_after_a_rotation() -> None:
    sealed = Sealing(TwoKeys("account.000001.aaaaaaaa"), entropy=secrets.token_bytes).seal(b"secret", bound_to=b"a")
    assert b"secret" not in sealed
    assert Sealing(TwoKeys(), entropy=secrets.token_bytes).open(sealed, bound_to=b"a") == b"secret"


def test_two_seals_of_one_secret_differ() -> None:
    sealing = Sealing(TwoKeys(), entropy=secrets.token_bytes)
    assert sealing.seal(b"secret", bound_to=b"a") != sealing.seal(b"secret", bound_to=b"a")


def test_a_seal_moved_to_another_owner_does_not_open() -> None:
    sealing = Sealing(TwoKeys(), entropy=secrets.token_bytes)
    with pytest.raises(IntegrityAlarm):
        sealing.open(sealing.seal(b"secret", bound_to=b"a"), bound_to=b"b")


def test_a_seal_changed_in_any_octet_does_not_open() -> None:
    sealing = Sealing(TwoKeys(), entropy=secrets.token_bytes)
    sealed = sealing.seal(b"secret", bound_to=b"a")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises((IntegrityAlarm, NotFound)):
            sealing.open(changed, bound_to=b"a")
    for length in range(len(sealed)):
        with pytest.raises((IntegrityAlarm, NotFound)):
            sealing.open(sealed[:length], bound_to=b"a")


def test_a_password_fits_its_own_hash_only() -> None:
    hashed = CHEAP.hash("correct horse battery")
    assert hashed.startswith("$argon2id$")
    assert CHEAP.verify(hashed, "correct horse battery")
    assert not CHEAP.verify(hashed, "correct horse batterY")
    assert hashed != CHEAP.hash("correct horse battery")


def test_one_spelling_of_a_password_is_as_good_as_another() -> None:
    assert CHEAP.verify(CHEAP.hash("Ĳsselmeer e\u0301 1234"), "IJsselmeer \u00e9 1234")


def test_the_default_costs_are_those_of_rfc_9106() -> None:
    assert "$m=65536,t=3,p=4$" in Argon2Hasher().hash("correct horse battery")


def test_a_hash_of_other_costs_still_verifies_and_asks_for_a_new_one() -> None:
    dearer = Argon2Hasher(time_cost=2, memory_kib=8, lanes=1)
    hashed = CHEAP.hash("correct horse battery")
    assert dearer.verify(hashed, "correct horse battery")
    assert dearer.needs_rehash(hashed)
    assert not CHEAP.needs_rehash(hashed)


@pytest.mark.parametrize("hashed", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$x", "$2b$12$abc"])
def test_what_is_no_hash_fits_nothing(hashed: str) -> None:
    assert not CHEAP.verify(hashed, "correct horse battery")
    assert CHEAP.needs_rehash(hashed)


def test_a_password_with_half_a_character_is_only_wrong() -> None:
    assert not CHEAP.verify(CHEAP.hash("correct horse battery"), "\ud800 horse battery")
