"""Documents on disk: write-once, sealed, private, destroyed by forgetting their key."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ca_core.documents.sealed_store import SealedStore
from ca_core.domain.errors import Duplicate, IntegrityAlarm, TryAgain

OWNER = UUID("01930000-0000-7000-8000-00000000000f")
DATA = b"a passport, page 2" * 10_000
LATER = datetime.now(UTC) + timedelta(hours=1)


class KeyRing:
    """Key-encryption keys in memory; ``rotate`` makes a new one current."""

    def __init__(self) -> None:
        self.keys = {"kek-1": os.urandom(32)}

    def rotate(self) -> None:
        self.keys[f"kek-{len(self.keys) + 1}"] = os.urandom(32)

    def current(self, purpose: str) -> tuple[str, bytes]:
        return list(self.keys.items())[-1]

    def get(self, key_id: str) -> bytes:
        return self.keys[key_id]


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing()


@pytest.fixture
def store(tmp_path: Path, ring: KeyRing) -> SealedStore:
    return SealedStore(tmp_path / "documents", ring, entropy=secrets.token_bytes)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_was_put_comes_back_with_its_size_and_digest(store: SealedStore) -> None:
    object_id = uuid4()
    stored = store.put(object_id, OWNER, DATA)
    assert (stored.size, stored.sha256) == (len(DATA), hashlib.sha256(DATA).digest())
    assert store.get(object_id, OWNER, wrapped_key=stored.wrapped_key, key_id=stored.key_id) == DATA


def test_a_stream_is_stored_and_read_in_constant_memory(store: SealedStore, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(32 << 20)
    object_id = uuid4()
    tracemalloc.start()
    with source.open("rb") as stream:
        stored = store.put(object_id, OWNER, stream)
    size = sum(map(len, store.open(object_id, OWNER, wrapped_key=stored.wrapped_key, key_id=stored.key_id)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == stored.size == 32 << 20
    assert peak < 2 << 20


def test_nothing_of_the_plaintext_is_on_the_disk_and_only_the_owner_may_read(
    store: SealedStore, tmp_path: Path
) -> None:
    store.put(uuid4(), OWNER, DATA)
    (path,) = files(tmp_path)
    assert b"passport" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(part.stat().st_mode & 0o077 == 0 for part in path.parents if part.is_relative_to(tmp_path / "documents"))


def test_an_object_is_written_once(store: SealedStore) -> None:
    object_id = uuid4()
    first = store.put(object_id, OWNER, DATA)
    with pytest.raises(Duplicate):
        store.put(object_id, OWNER, b"other")
    assert store.get(object_id, OWNER, wrapped_key=first.wrapped_key, key_id=first.key_id) == DATA


def test_of_many_writers_at_once_one_wins(store: SealedStore, tmp_path: Path) -> None:
    object_id = uuid4()
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write() -> None:
        start.wait()
        try:
            store.put(object_id, OWNER, DATA)
            outcomes.append("stored")
        except Duplicate:
            outcomes.append("duplicate")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["duplicate"] * 7 + ["stored"]
    assert len(files(tmp_path)) == 1


def test_a_source_that_breaks_off_leaves_nothing(store: SealedStore, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(TryAgain):
        store.put(uuid4(), OWNER, Broken())
    assert files(tmp_path) == []


def test_a_store_that_cannot_be_written_says_try_again(tmp_path: Path, ring: KeyRing) -> None:
    (tmp_path / "documents").write_text("a file where the directory should be")
    with pytest.raises(TryAgain):
        SealedStore(tmp_path / "documents" / "deeper", ring, entropy=secrets.token_bytes).put(uuid4(), OWNER, DATA)


@pytest.mark.parametrize("fault", ["changed", "cut", "removed", "exchanged"])
def test_a_file_touched_from_outside_is_an_alarm(store: SealedStore, tmp_path: Path, fault: str) -> None:
    object_id, other_id = uuid4(), uuid4()
    stored = store.put(object_id, OWNER, DATA)
    (path,) = files(tmp_path)
    if fault == "changed":
        octets = bytearray(path.read_bytes())
        octets[70_000] ^= 1
        path.write_bytes(octets)
    elif fault == "cut":
        os.truncate(path, path.stat().st_size - 17)
    elif fault == "removed":
        path.unlink()
    else:
        store.put(other_id, OWNER, DATA)
        (other,) = (candidate for candidate in files(tmp_path) if candidate != path)
        other.replace(path)
    with pytest.raises(IntegrityAlarm):
        store.get(object_id, OWNER, wrapped_key=stored.wrapped_key, key_id=stored.key_id)


def test_a_row_of_another_owner_opens_nothing(store: SealedStore) -> None:
    object_id = uuid4()
    stored = store.put(object_id, OWNER, DATA)
    with pytest.raises(IntegrityAlarm):
        store.open(object_id, uuid4(), wrapped_key=stored.wrapped_key, key_id=stored.key_id)


def test_after_a_new_key_what_the_old_one_wrapped_still_opens(store: SealedStore, ring: KeyRing) -> None:
    object_id = uuid4()
    stored = store.put(object_id, OWNER, DATA)
    ring.rotate()
    assert store.put(uuid4(), OWNER, DATA).key_id == "kek-2"
    assert store.get(object_id, OWNER, wrapped_key=stored.wrapped_key, key_id=stored.key_id) == DATA


def test_destroying_removes_the_file_and_may_be_repeated(store: SealedStore, tmp_path: Path) -> None:
    object_id, kept = uuid4(), uuid4()
    store.put(object_id, OWNER, DATA)
    store.put(kept, OWNER, DATA)
    store.destroy(object_id)
    store.destroy(object_id)
    assert [path.name for path in files(tmp_path)] == [f"{kept}.sealed"]


def test_a_sealed_file_without_its_wrapped_key_is_noise(store: SealedStore, ring: KeyRing, tmp_path: Path) -> None:
    """Crypto-shredding: a backup of the file and the key-encryption key together open nothing."""
    object_id, other_id = uuid4(), uuid4()
    store.put(object_id, OWNER, DATA)
    other = store.put(other_id, OWNER, DATA)
    with pytest.raises(IntegrityAlarm):
        store.get(object_id, OWNER, wrapped_key=other.wrapped_key, key_id=other.key_id)


def test_orphans_are_files_that_no_row_knows_and_what_interrupted_puts_left(store: SealedStore, tmp_path: Path) -> None:
    known, orphan, interrupted = uuid4(), uuid4(), uuid4()
    store.put(known, OWNER, DATA)
    store.put(orphan, OWNER, DATA)
    shard = tmp_path / "documents" / interrupted.hex[-4:-2] / interrupted.hex[-2:]
    shard.mkdir(parents=True)
    (shard / f"{interrupted}-0011223344556677.part").write_bytes(b"PSD\x01")
    (shard / "not ours").write_bytes(b"")
    found = set(store.orphans(lambda object_id: object_id == known, before=LATER))
    assert found == {orphan, interrupted}
    for object_id in found:
        store.destroy(object_id)
    assert {path.name for path in files(tmp_path)} == {f"{known}.sealed", "not ours"}


def test_a_file_younger_than_the_moment_is_no_orphan_yet(store: SealedStore) -> None:
    store.put(uuid4(), OWNER, DATA)
    earlier = datetime.now(UTC) - timedelta(hours=1)
    assert list(store.orphans(lambda _: False, before=earlier)) == []
