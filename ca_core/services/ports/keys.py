"""Keys that sign, and symmetric ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm


class Signer(Protocol):
    """A private key we may use but never see. Thread-safe."""

    @property
    def algorithm(self) -> SignatureAlgorithm: ...
    @property
    def algorithm_identifier(self) -> bytes:
        """DER AlgorithmIdentifier."""
        ...

    @property
    def public_key_info(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        ...

    @property
    def parallel(self) -> int:
        """How many signatures it makes at the same time; more than one where a signature is waited for."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature value; KeyUnavailable when the key cannot be used."""
        ...


class KeyStore(Protocol):
    def generate(self, reference: str, algorithm: KeyAlgorithm) -> bytes:
        """Make a key; returns its SubjectPublicKeyInfo. Duplicate when the reference is taken."""
        ...

    def take_in(self, reference: str, pem: bytes, passphrase: bytes | None, *, public_key_info: bytes) -> None:
        """Keep a private key that was made elsewhere (PKCS#8, encrypted under ``passphrase`` or not at all).

        InvalidInput when it is not the one of that public key, or where keys are not brought in this way; Duplicate
        when the reference is taken."""
        ...

    def signer(self, reference: str, algorithm: SignatureAlgorithm) -> Signer: ...

    def references(self) -> Sequence[str]: ...


class SymmetricKeys(Protocol):
    """Named symmetric keys (32 octets) with identifiers, for document envelopes, audit and account secrets."""

    def current(self, purpose: str) -> tuple[str, bytes]: ...

    def get(self, key_id: str) -> bytes: ...
