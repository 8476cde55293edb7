"""Passwords as argon2id (RFC 9106), in PHC string format."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

TIME_COST = 3
MEMORY_KIB = 64 * 1024
LANES = 4
"""RFC 9106 §4, the second recommended option: three passes over 64 MiB in four lanes."""


class Argon2Hasher:
    """Hashes and verifies. Thread-safe."""

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB, lanes: int = LANES) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=lanes)

    def hash(self, password: str) -> str:
        """The hash under a new salt, with the present costs."""
        return self._hasher.hash(_octets(password))

    def verify(self, hash: str, password: str) -> bool:
        """Whether it is this password, with the costs that the hash names."""
        try:
            return self._hasher.verify(hash, _octets(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def needs_rehash(self, hash: str) -> bool:
        """Whether it was made with other costs than the present ones."""
        try:
            return self._hasher.check_needs_rehash(hash)
        except InvalidHashError:
            return True


def _octets(password: str) -> bytes:
    """One spelling for what looks the same (NIST SP 800-63B §5.1.1.2), whichever keyboard wrote it."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
