"""Symmetric keys wrapped under a passphrase."""

from __future__ import annotations

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ca_core.domain.errors import (
    CaError,
    ConfigurationError,
    IntegrityAlarm,
    InvalidInput,
    KeyMissing,
    KeyUnavailable,
)
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.services.ports import SymmetricKeys

PASSPHRASE = b"correct horse battery staple"


class Asked:
    """A passphrase that counts how often it is asked for."""

    def __init__(self, passphrase: bytes = PASSPHRASE) -> None:
        self.times = 0
        self._passphrase = passphrase

    def __call__(self) -> bytes:
        self.times += 1
        return self._passphrase


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def store(directory: Path) -> SymmetricKeyStore:
    return SymmetricKeyStore(directory, Asked(), entropy=secrets.token_bytes)


def reopened(directory: Path, passphrase: bytes = PASSPHRASE) -> SymmetricKeyStore:
    return SymmetricKeyStore(directory, Asked(passphrase), entropy=secrets.token_bytes)


def test_a_key_is_the_same_in_the_next_process(store: SymmetricKeyStore, directory: Path) -> None:
    key_id = store.create("documents")
    port: SymmetricKeys = reopened(directory)
    assert port.get(key_id) == store.get(key_id)
    assert port.current("documents") == (key_id, store.get(key_id))
    assert len(store.get(key_id)) == 32


def test_rotation_makes_a_new_current_key_and_keeps_the_old_one(store: SymmetricKeyStore, directory: Path) -> None:
    other_process = reopened(directory)
    ids = [store.create("documents") for _ in range(3)]
    store.create("audit")
    assert store.current("documents")[0] == ids[-1]
    assert len({store.get(key_id) for key_id in ids}) == 3
    assert other_process.current("documents")[0] == ids[-1]
    newest = store.create("documents")
    assert other_process.current("documents") == (newest, store.get(newest))


def test_purposes_do_not_mix(store: SymmetricKeyStore) -> None:
    store.create("audit-archive")
    with pytest.raises(KeyMissing, match="no symmetric key for audit yet"):
        store.current("audit")


def test_the_passphrase_is_asked_for_once_per_process(store: SymmetricKeyStore, directory: Path) -> None:
    ids = [store.create(purpose) for purpose in ("documents", "audit", "totp")]
    asked = Asked()
    other_process = SymmetricKeyStore(directory, asked, entropy=secrets.token_bytes)
    for key_id in ids:
        other_process.get(key_id)
    other_process.create("audit")
    assert asked.times == 1


def test_processes_that_start_together_agree(directory: Path) -> None:
    stores = [reopened(directory) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda store: store.create("audit"), stores))
    assert len(set(ids)) == 4
    last = reopened(directory)
    assert [last.get(key_id) for key_id in ids] == [
        store.get(key_id) for store, key_id in zip(stores, ids, strict=True)
    ]
    assert len({store.current("audit") for store in stores}) == 1


def test_files_are_private_and_hold_no_key(store: SymmetricKeyStore, directory: Path) -> None:
    key = store.get(store.create("documents"))
    assert directory.stat().st_mode & 0o777 == 0o700
    for path in directory.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert key.hex() not in path.read_text()


def test_a_wrong_passphrase_is_said_to_be_wrong(store: SymmetricKeyStore, directory: Path) -> None:
    key_id = store.create("documents")
    stranger = reopened(directory, b"wrong")
    for attempt in (lambda: stranger.get(key_id), lambda: stranger.create("documents")):
        with pytest.raises(KeyUnavailable, match="passphrase"):
            attempt()


@pytest.mark.parametrize(
    "key_id", ["documents.000009.00000000", "", "master", "../master", "x" * 300], ids=["absent", "", "m", "up", "long"]
)
def test_an_unknown_id_is_not_found(store: SymmetricKeyStore, key_id: str) -> None:
    store.create("documents")
    with pytest.raises(KeyMissing):
        store.get(key_id)


@pytest.mark.parametrize("purpose", ["", "Documents", "a.b", "a/b", "1st", "x" * 33])
def test_a_purpose_that_is_no_name_is_refused(store: SymmetricKeyStore, purpose: str) -> None:
    with pytest.raises(InvalidInput):
        store.create(purpose)


def test_a_changed_key_file_alarms(store: SymmetricKeyStore, directory: Path) -> None:
    key_id = store.create("documents")
    path = directory / f"{key_id}.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"wrapped": "00" * 48}))
    with pytest.raises(IntegrityAlarm, match="was changed"):
        reopened(directory).get(key_id)


def test_a_key_file_under_another_id_alarms(store: SymmetricKeyStore, directory: Path) -> None:
    """Or whoever can write files could make an old, leaked key the current one."""
    old, new = store.create("documents"), store.create("documents")
    (directory / f"{old}.json").rename(directory / f"{new}.json")
    with pytest.raises(IntegrityAlarm):
        reopened(directory).current("documents")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 1}', '{"version": 1, "nonce": 5, "wrapped": ""}', '{"version": 2}', "\x00" * 9],
    ids=ascii,
)
def test_a_damaged_key_file_is_said_to_be_damaged(store: SymmetricKeyStore, directory: Path, content: str) -> None:
    key_id = store.create("documents")
    (directory / f"{key_id}.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"damaged|format version"):
        reopened(directory).get(key_id)


def test_a_lost_master_file_is_never_replaced_while_keys_exist(store: SymmetricKeyStore, directory: Path) -> None:
    key_id = store.create("documents")
    (directory / "master.json").unlink()
    fresh = reopened(directory)
    for attempt in (lambda: fresh.get(key_id), lambda: fresh.create("documents"), lambda: fresh.current("documents")):
        with pytest.raises(ConfigurationError, match=re.escape("master.json is missing")):
            attempt()


@pytest.mark.parametrize("mode", [0o640, 0o604], ids=oct)
def test_a_key_file_open_to_others_is_refused(store: SymmetricKeyStore, directory: Path, mode: int) -> None:
    key_id = store.create("documents")
    (directory / f"{key_id}.json").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        reopened(directory).get(key_id)


def test_a_changed_master_file_raises_only_our_errors(store: SymmetricKeyStore, directory: Path) -> None:
    key_id = store.create("documents")
    path = directory / "master.json"
    fields = json.loads(path.read_text())
    for change in ({"salt": ""}, {"salt": "00"}, {"check": ""}, {"check": "00" * 28}, {"check": None}):
        path.write_text(json.dumps(fields | change))
        with pytest.raises(CaError):
            reopened(directory).get(key_id)
