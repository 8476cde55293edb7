"""Small secrets at rest: AES-256-GCM under a named key, bound to whose they are."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ca_core.domain.errors import IntegrityAlarm
from ca_core.domain.identifiers import Entropy
from ca_core.services.ports import SymmetricKeys

PURPOSE = "account"
"""Of the keys that :class:`~ca_core.services.ports.SymmetricKeys` is asked for."""
_NONCE_OCTETS = 12


class Sealing:
    """Seals with the newest key, opens with whichever sealed: key id, zero octet, nonce, ciphertext and tag."""

    def __init__(self, keys: SymmetricKeys, *, entropy: Entropy) -> None:
        self._keys = keys
        self._entropy = entropy

    def seal(self, secret: bytes, *, bound_to: bytes) -> bytes:
        """``bound_to`` names purpose and owner; only whoever names the same can open it."""
        key_id, key = self._keys.current(PURPOSE)
        nonce = self._entropy(_NONCE_OCTETS)
        sealed = AESGCM(key).encrypt(nonce, secret, _bound(key_id.encode(), bound_to))
        return key_id.encode() + b"\0" + nonce + sealed

    def open(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """IntegrityAlarm when it was changed or belongs to another; NotFound when its key is gone."""
        key_id, _, rest = sealed.partition(b"\0")
        key = self._keys.get(key_id.decode("ascii", "replace"))
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_OCTETS], rest[_NONCE_OCTETS:], _bound(key_id, bound_to))
        except (InvalidTag, ValueError):
            raise IntegrityAlarm("a sealed secret does not open: it was changed, or moved from another row") from None


def _bound(key_id: bytes, to: bytes) -> bytes:
    return b"pechatnik sealed secret 1\0" + key_id + b"\0" + to
