"""Signing keys in encrypted files, used in this process's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import InvalidInput, KeyMissing, NotFound
from ca_core.domain.identifiers import Entropy
from ca_core.keys.encrypted_key import decrypt_key, encrypt_key
from ca_core.keys.key_material import make_key, public_key_info as public_key_info_of, signing
from ca_core.keys.protected_directory import ProtectedDirectory
from ca_core.keys.reference import check_fit, check_reference
from ca_core.keys.secrets_source import Secret
from ca_core.keys.self_check import check_signer
from ca_core.x509.algorithm import key_algorithm_of, signature_algorithm_identifier

SUFFIX = ".pem"


@dataclass(frozen=True, kw_only=True)
class SoftwareSigner:
    """A private key in memory. Thread-safe."""

    algorithm: SignatureAlgorithm
    algorithm_identifier: bytes
    """DER AlgorithmIdentifier."""
    public_key_info: bytes
    """DER SubjectPublicKeyInfo."""
    sign: Callable[[bytes], bytes]
    """The signature value over the data."""
    parallel: int = 1


class SoftwareKeyStore:
    """``<reference>.pem`` files in a directory of mode 0700. Thread-safe; a key is decrypted once per process."""

    def __init__(self, directory: Path, passphrase: Secret, *, entropy: Entropy) -> None:
        """``passphrase`` is asked for whenever a key is made or loaded."""
        self._directory = ProtectedDirectory(directory)
        self._passphrase = passphrase
        self._entropy = entropy
        self._loaded: dict[str, PrivateKeyTypes] = {}
        self._lock = Lock()

    def generate(self, reference: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key and write it; returns its SubjectPublicKeyInfo. :class:`Duplicate` when the reference is taken."""
        check_reference(reference)
        key = make_key(algorithm)
        self._directory.create(
            reference + SUFFIX, encrypt_key(key, passphrase=self._passphrase(), entropy=self._entropy)
        )
        # Read back what the disk holds: a key that cannot be opened or used later must not get a certificate.
        signer = self.signer(reference, DEFAULT_SIGNATURE[algorithm])
        check_signer(signer)
        return signer.public_key_info

    def take_in(self, reference: str, pem: bytes, passphrase: bytes | None, *, public_key_info: bytes) -> None:
        """Keep a private key that was made elsewhere (PKCS#8 in PEM), encrypted under this store's passphrase.

        :class:`InvalidInput` when it cannot be read or is not the one of that public key, :class:`Duplicate` when the
        reference is taken."""
        check_reference(reference)
        try:
            key = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise InvalidInput("the key is not PKCS#8 in PEM, or its passphrase is another") from None
        if public_key_info_of(key) != public_key_info:
            raise InvalidInput("the key is not the one that the certificate is over")
        self._directory.create(
            reference + SUFFIX, encrypt_key(key, passphrase=self._passphrase(), entropy=self._entropy)
        )
        check_signer(self.signer(reference, DEFAULT_SIGNATURE[key_algorithm_of(public_key_info)]))

    def signer(self, reference: str, algorithm: SignatureAlgorithm) -> SoftwareSigner:
        """The key under ``reference``, signing with ``algorithm``.

        :class:`KeyMissing` when there is no such key, :class:`KeyLocked` when the passphrase does not open it,
        :class:`ConfigurationError` when its file is not encrypted or not private, :class:`InvalidInput` when the
        key cannot make that signature.
        """
        check_reference(reference)
        key = self._load(reference)
        public = public_key_info_of(key)
        check_fit(reference, key_algorithm_of(public), algorithm)
        return SoftwareSigner(
            algorithm=algorithm,
            algorithm_identifier=signature_algorithm_identifier(algorithm),
            public_key_info=public,
            sign=signing(key, algorithm),
        )

    def references(self) -> Sequence[str]:
        """The names of all keys, sorted."""
        return self._directory.names(suffix=SUFFIX)

    def _load(self, reference: str) -> PrivateKeyTypes:
        with self._lock:
            key = self._loaded.get(reference)
            if key is None:
                name = reference + SUFFIX
                try:
                    pem = self._directory.read(name)
                except NotFound:
                    raise KeyMissing(f"the key store holds no key {reference}; restore it from a backup") from None
                key = decrypt_key(pem, passphrase=self._passphrase(), origin=str(self._directory.path / name))
                self._loaded[reference] = key
            return key
