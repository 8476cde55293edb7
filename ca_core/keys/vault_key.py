"""Symmetric keys of 32 octets, wrapped under a passphrase: for document envelopes, the audit chain, account secrets.

``master.json`` holds the salt from which scrypt derives the wrapping key, once per process, and a check value.
``<key id>.json`` holds one key, sealed with AES-256-GCM; the format's version and the key id are authenticated.
A key id is ``<purpose>.<number>.<8 random hexadecimal digits>``: the number says which is the newest, the random part
keeps an id from ever naming two keys, even after a directory was restored from an old copy.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ca_core.domain.errors import (
    ConfigurationError,
    Duplicate,
    IntegrityAlarm,
    InvalidInput,
    KeyLocked,
    KeyMissing,
    NotFound,
)
from ca_core.domain.identifiers import Entropy
from ca_core.keys.protected_directory import ProtectedDirectory
from ca_core.keys.secrets_source import Secret
from ca_core.keys.stretching import stretch

KEY_SIZE = 32
"""Octets."""

_VERSION = 1
"""Also fixes the costs of :mod:`~ca_core.keys.stretching`."""

_NONCE_SIZE, _SALT_SIZE = 12, 16
_MASTER = "master"
_SUFFIX = ".json"
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_KEY_ID = re.compile(r"([a-z][a-z0-9-]{0,31})\.([0-9]{6})\.[0-9a-f]{8}")


class SymmetricKeyStore:
    """Wrapped keys in a directory of mode 0700. Thread-safe; every key is unwrapped once per process."""

    def __init__(self, directory: Path, passphrase: Secret, *, entropy: Entropy) -> None:
        """``passphrase`` is asked for once, when the first key is needed."""
        self._directory = ProtectedDirectory(directory)
        self._passphrase = passphrase
        self._entropy = entropy
        self._wrapping: AESGCM | None = None
        self._keys: dict[str, bytes] = {}
        self._lock = Lock()

    def create(self, purpose: str) -> str:
        """Make a key, which is from now on the current one of its purpose; returns its id. To rotate, make another."""
        if not _PURPOSE.fullmatch(purpose):
            raise InvalidInput("a key's purpose has up to 32 lower-case letters, digits and hyphens")
        with self._lock:
            wrapping = self._unlocked(or_new=True)
            number = max((_number(key_id) for key_id in self._ids(purpose)), default=0) + 1
            key_id = f"{purpose}.{number:06d}.{self._entropy(4).hex()}"
            key = self._entropy(KEY_SIZE)
            self._directory.create(
                key_id + _SUFFIX, _sealed(wrapping, key, nonce=self._entropy(_NONCE_SIZE), bound_to=key_id)
            )
            self._keys[key_id] = key
        return key_id

    def get(self, key_id: str) -> bytes:
        """The key of that id. :class:`KeyMissing`; :class:`KeyLocked` when the passphrase is wrong;
        :class:`IntegrityAlarm` when its file was changed."""
        key = self._keys.get(key_id)
        if key is not None:
            return key
        if not _KEY_ID.fullmatch(key_id):
            raise KeyMissing("there is no symmetric key of that id")
        with self._lock:
            try:
                sealed = self._directory.read(key_id + _SUFFIX)
            except NotFound:
                raise KeyMissing(f"there is no symmetric key {key_id}; restore it from a backup") from None
            nonce, wrapped = _parsed(sealed, "nonce", "wrapped", origin=key_id)
            try:
                key = self._unlocked().decrypt(nonce, wrapped, _bound(key_id))
            except (InvalidTag, ValueError):
                raise IntegrityAlarm(
                    f"the file of the symmetric key {key_id} was changed; restore it from a backup"
                ) from None
            self._keys[key_id] = key
        return key

    def current(self, purpose: str) -> tuple[str, bytes]:
        """Id and octets of the newest key of the purpose, also when another process made it; :class:`KeyMissing`."""
        ids = self._ids(purpose)
        if not ids:
            raise KeyMissing(f"there is no symmetric key for {purpose} yet")
        newest = max(ids)
        return newest, self.get(newest)

    def _ids(self, purpose: str) -> list[str]:
        matches = map(_KEY_ID.fullmatch, self._directory.names(suffix=_SUFFIX))
        return [match[0] for match in matches if match and match[1] == purpose]

    def _unlocked(self, *, or_new: bool = False) -> AESGCM:
        """The wrapping key; with ``or_new`` the directory gets one if it holds nothing yet."""
        if self._wrapping is None:
            names = self._directory.names(suffix=_SUFFIX)
            if or_new and not names:
                # When another process is faster, its file is the one that is read below.
                with suppress(Duplicate):
                    self._write_master()
            try:
                content = self._directory.read(_MASTER + _SUFFIX)
            except NotFound:
                raise ConfigurationError(
                    f"{self._directory.path / (_MASTER + _SUFFIX)} is missing, "
                    "and without it no key there can be opened; restore it from a backup"
                ) from None
            salt, sealed = _parsed(content, "salt", "check", origin=_MASTER)
            wrapping = self._derived(salt)
            try:
                wrapping.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _bound(_MASTER))
            except (InvalidTag, ValueError):
                raise KeyLocked(f"the passphrase does not open the keys in {self._directory.path}") from None
            self._wrapping = wrapping
        return self._wrapping

    def _write_master(self) -> None:
        salt, nonce = self._entropy(_SALT_SIZE), self._entropy(_NONCE_SIZE)
        check = nonce + self._derived(salt).encrypt(nonce, b"", _bound(_MASTER))
        self._directory.create(_MASTER + _SUFFIX, _written(salt=salt, check=check))

    def _derived(self, salt: bytes) -> AESGCM:
        return AESGCM(stretch(self._passphrase(), salt=salt))


def _number(key_id: str) -> int:
    return int(key_id.split(".")[1])


def _bound(name: str) -> bytes:
    """What the seal of a file also covers."""
    return f"pechatnik symmetric key {_VERSION} {name}".encode()


def _sealed(wrapping: AESGCM, key: bytes, *, nonce: bytes, bound_to: str) -> bytes:
    return _written(nonce=nonce, wrapped=wrapping.encrypt(nonce, key, _bound(bound_to)))


def _written(**fields: bytes) -> bytes:
    return json.dumps({"version": _VERSION} | {name: value.hex() for name, value in fields.items()}).encode() + b"\n"


def _parsed(content: bytes, *names: str, origin: str) -> tuple[bytes, ...]:
    try:
        fields = json.loads(content)
        if fields["version"] != _VERSION:
            raise ConfigurationError(f"the key file {origin} has a format version that this program does not know")
        return tuple(bytes.fromhex(fields[name]) for name in names)
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"the key file {origin} is damaged; restore it from a backup") from None
