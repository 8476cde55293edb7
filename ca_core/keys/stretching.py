"""From a passphrase to a key: scrypt (RFC 7914)."""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

N, R, P = 1 << 14, 8, 5
"""OWASP's least costs in the variant of 16 MiB: about 0.15 s. More than 32 MiB, and openssl refuses to read a key."""

KEY_SIZE = 32
"""Octets."""


def stretch(passphrase: bytes, *, salt: bytes) -> bytes:
    """A key of :data:`KEY_SIZE` octets."""
    return Scrypt(salt=salt, length=KEY_SIZE, n=N, r=R, p=P).derive(passphrase)
