"""Documents on disk: sealed, write-once, destroyed by forgetting their key.

A document is put before the transaction that records it commits. A crash in between leaves a file that no row knows
and nobody can open, since its wrapped key was never stored; :meth:`SealedStore.orphans` finds it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ca_core.documents.envelope_key import KEY_OCTETS, KeyWrap
from ca_core.documents.sealed_stream import seal, unseal
from ca_core.domain.errors import Duplicate, IntegrityAlarm, TryAgain
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import StoredObject, SymmetricKeys

_SEALED = ".sealed"
_PART = ".part"


class SealedStore:
    """One directory tree of sealed documents. Thread-safe, and safe among processes that share the tree."""

    def __init__(self, root: Path, keys: SymmetricKeys, *, entropy: Entropy) -> None:
        self._root = root
        self._wrap = KeyWrap(keys, entropy)
        self._entropy = entropy

    def put(self, object_id: UUID, owner: UUID, data: bytes | BinaryIO) -> StoredObject:
        """Seal and keep; on return it has reached the disk.

        Duplicate when the object exists, which stays as it is; TryAgain when the disk does not take it."""
        data_key = self._entropy(KEY_OCTETS)
        wrapped = self._wrap.wrap(data_key, object_id, owner)
        source = _Measured(io.BytesIO(data) if isinstance(data, bytes) else data)
        path = self._path(object_id)
        part = path.with_name(f"{object_id}-{self._entropy(8).hex()}{_PART}")
        try:
            _make_directory(path.parent, self._root)
            with open(part, "xb", opener=_private) as file:
                for piece in seal(source, key=data_key, object_id=object_id, owner=owner):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)  # unlike rename, never replaces what is there
            _sync(path.parent)
        except FileExistsError:
            raise Duplicate(f"document {object_id} is stored already; use a new identifier") from None
        except OSError as error:
            raise TryAgain(
                f"the document store cannot be written ({error.strerror}); see to the disk, then try again",
                retry_after=60,
            ) from error
        finally:
            with suppress(OSError):
                part.unlink()
        return StoredObject(
            size=source.size,
            sha256=source.digest.digest(),
            wrapped_key=wrapped.wrapped_key,
            key_id=wrapped.key_id,
        )

    def open(self, object_id: UUID, owner: UUID, *, wrapped_key: bytes, key_id: str) -> Iterator[bytes]:
        """The plaintext in verified pieces; act on nothing before the iteration ends. IntegrityAlarm when the file
        is missing, was changed or cut, or is not this owner's."""
        data_key = self._wrap.unwrap(wrapped_key, key_id, object_id, owner)
        try:
            file = open(self._path(object_id), "rb")  # noqa: SIM115 - closed by the iteration below
        except FileNotFoundError:
            raise IntegrityAlarm(f"the stored document {object_id} is missing; restore it from a backup") from None
        return _closing(file, unseal(file, key=data_key, object_id=object_id, owner=owner))

    def get(self, object_id: UUID, owner: UUID, *, wrapped_key: bytes, key_id: str) -> bytes:
        """All of the plaintext, verified to its end; errors as :meth:`open`."""
        return b"".join(self.open(object_id, owner, wrapped_key=wrapped_key, key_id=key_id))

    def destroy(self, object_id: UUID) -> None:
        """Remove the file and what an interrupted put left; nothing happens when there is none.

        Backups still hold the sealed bytes: the destruction that counts is erasing the row's wrapped key."""
        directory = self._path(object_id).parent
        for path in (self._path(object_id), *directory.glob(f"{object_id}-*{_PART}")):
            path.unlink(missing_ok=True)
        if directory.exists():
            _sync(directory)

    def orphans(self, known: Callable[[UUID], bool], *, before: datetime) -> Iterator[UUID]:
        """Objects that no row knows, last written before the moment, so that no transaction that is still to commit
        can own them; ready for :meth:`destroy`."""
        for path in self._root.glob("??/??/*"):
            try:
                object_id = UUID(path.name[:36])
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except (ValueError, FileNotFoundError):
                continue
            leftover = path.suffix == _PART or not known(object_id)
            if leftover and written < before:
                yield object_id

    def _path(self, object_id: UUID) -> Path:
        # UUIDv7 starts with the time and ends at random: the end spreads evenly over 65,536 directories.
        tail = object_id.hex[-4:]
        return self._root / tail[:2] / tail[2:] / f"{object_id}{_SEALED}"


class _Measured:
    """Counts and digests what is read through it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        block = self._source.read(size)
        self.size += len(block)
        self.digest.update(block)
        return block


def _closing(file: BinaryIO, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with file:
        yield from pieces


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _make_directory(directory: Path, root: Path) -> None:
    """Make it and the levels up to the root, each one's entry safe on the disk."""
    if directory != root:
        _make_directory(directory.parent, root)
    directory.mkdir(mode=0o700, parents=directory == root, exist_ok=True)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
