"""A private key as encrypted PKCS#8 (RFC 5958 §3) in PEM: scrypt (RFC 7914 §7), then AES-256-CBC (RFC 8018 §6.2)."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ca_core.domain.errors import ConfigurationError, KeyLocked
from ca_core.domain.identifiers import Entropy
from ca_core.keys.stretching import KEY_SIZE, N, P, R, stretch
from ca_core.x509 import der
from ca_core.x509.pem import to_pem

LABEL = "ENCRYPTED PRIVATE KEY"


def encrypt_key(key: PrivateKeyTypes, *, passphrase: bytes, entropy: Entropy) -> bytes:
    """The key in PEM, encrypted under a key derived from ``passphrase``."""
    # Composed here because `cryptography` itself writes PBKDF2 with 2,048 rounds, which guesses fast.
    salt, iv = entropy(16), entropy(16)
    pad = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES256(stretch(passphrase, salt=salt)), modes.CBC(iv)).encryptor()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    content = cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()
    scrypt = der.sequence(
        der.oid("1.3.6.1.4.1.11591.4.11"),
        der.sequence(der.octet_string(salt), der.integer(N), der.integer(R), der.integer(P), der.integer(KEY_SIZE)),
    )
    aes256_cbc = der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octet_string(iv))
    pbes2 = der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(scrypt, aes256_cbc))
    return to_pem(der.sequence(pbes2, der.octet_string(content)), LABEL).encode()


def decrypt_key(pem: bytes, *, passphrase: bytes, origin: str) -> PrivateKeyTypes:
    """The key; ``origin`` names it in errors.

    :class:`ConfigurationError` when it is not encrypted, :class:`KeyLocked` when the passphrase does not open it.
    """
    if not pem.startswith(f"-----BEGIN {LABEL}-----".encode()):
        raise ConfigurationError(f"{origin} is not an encrypted PKCS#8 key in PEM; keys are kept encrypted only")
    try:
        return load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyLocked(f"the passphrase does not open {origin}, or the file is damaged") from None
