"""The data key of one document, wrapped under a key-encryption key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ca_core.domain.errors import ConfigurationError, IntegrityAlarm
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import SymmetricKeys

PURPOSE = "documents"
"""Of the key-encryption keys that :class:`~ca_core.services.ports.SymmetricKeys` is asked for."""

KEY_OCTETS = 32
_NONCE_OCTETS = 12
_VERSION = b"\x01"


@dataclass(frozen=True, kw_only=True)
class WrappedKey:
    """What the database row keeps; without it the document cannot be read by anyone."""

    wrapped_key: bytes
    """Version octet, nonce of 12 octets, AES-256-GCM ciphertext and tag: 61 octets."""
    key_id: str
    """Of the key-encryption key."""


@dataclass(frozen=True)
class KeyWrap:
    """Wraps and unwraps; object, owner and key id are bound in, so a wrapped key fits no other row."""

    keys: SymmetricKeys
    entropy: Entropy

    def wrap(self, data_key: bytes, object_id: UUID, owner: UUID) -> WrappedKey:
        key_id, key = self.keys.current(PURPOSE)
        nonce = self.entropy(_NONCE_OCTETS)
        bound = _bound(object_id, owner, key_id)
        sealed = _cipher(key_id, key).encrypt(nonce, data_key, bound)
        return WrappedKey(wrapped_key=_VERSION + nonce + sealed, key_id=key_id)

    def unwrap(self, wrapped_key: bytes, key_id: str, object_id: UUID, owner: UUID) -> bytes:
        """IntegrityAlarm when it was changed or belongs to another object, owner or key."""
        cipher = _cipher(key_id, self.keys.get(key_id))
        nonce, sealed = wrapped_key[1 : 1 + _NONCE_OCTETS], wrapped_key[1 + _NONCE_OCTETS :]
        if wrapped_key[:1] == _VERSION and len(nonce) == _NONCE_OCTETS:
            try:
                return cipher.decrypt(nonce, sealed, _bound(object_id, owner, key_id))
            except InvalidTag:
                pass
        raise IntegrityAlarm(f"the data key of document {object_id} does not open; see the audit record")


def _bound(object_id: UUID, owner: UUID, key_id: str) -> bytes:
    return b"document key" + _VERSION + object_id.bytes + owner.bytes + key_id.encode()


def _cipher(key_id: str, key: bytes) -> AESGCM:
    if len(key) != KEY_OCTETS:
        raise ConfigurationError(f"the key {key_id} for documents is not {KEY_OCTETS} octets long")
    return AESGCM(key)
