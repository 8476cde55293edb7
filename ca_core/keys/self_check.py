"""Whether a key can be used now, for readiness and after a key was made."""

from __future__ import annotations

from typing import Protocol

from ca_core.domain.errors import BadSignature, IntegrityAlarm
from ca_core.x509.signature import verify_signature

MESSAGE = b"pechatnik key self-check: this is not a certificate, list or answer"
"""Text, so that the signature can never pass for one over a DER structure."""


class _Signs(Protocol):
    @property
    def algorithm_identifier(self) -> bytes: ...
    @property
    def public_key_info(self) -> bytes: ...
    def sign(self, data: bytes) -> bytes: ...


def check_signer(signer: _Signs) -> None:
    """Sign a fixed message and verify it with the public key.

    :class:`KeyUnavailable` when the key cannot be used, :class:`IntegrityAlarm` when the signature is not the key's.
    """
    signature = signer.sign(MESSAGE)
    try:
        verify_signature(signer.public_key_info, signer.algorithm_identifier, MESSAGE, signature)
    except BadSignature:
        raise IntegrityAlarm("a signing key makes signatures that its public key does not verify") from None
