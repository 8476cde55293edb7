"""Signatures of certificates, lists and answers: none by an algorithm that the policy does not accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from asn1crypto import algos, keys, x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_SIGNATURE_VALIDATOR,
    DEFAULT_VALIDATION_CONTEXT,
    SignatureValidationContext,
    SignatureValidator,
)

from ca_core.validation.algorithms import AlgorithmPolicy


class JudgedSignatures(SignatureValidator):
    """The engine asks its policy about signatures of certificates only; here about those of lists and answers too."""

    def __init__(self, policy: AlgorithmPolicy, moment: datetime, chain: Sequence[x509.Certificate]) -> None:
        """``chain`` from the certificate in question up to the anchor."""
        self._policy = policy
        self._moment = moment
        self._completed = _completed(chain)

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Return if it verifies and is strong enough; InvalidSignature otherwise."""
        if public_key_info.algorithm == "dsa":
            public_key_info = self._completed.get(public_key_info.dump(), public_key_info)
        if not self._policy.signature_algorithm_allowed(signature_algorithm, self._moment, public_key_info):
            raise InvalidSignature
        _verify(signature, signed_data, public_key_info, signature_algorithm, context)


def _completed(chain: Sequence[x509.Certificate]) -> Mapping[bytes, keys.PublicKeyInfo]:
    """DSA keys without parameters, with those that they inherit from above (RFC 3279 §2.3.2): the engine hands them
    down to certificates, and not to lists."""
    found: dict[bytes, keys.PublicKeyInfo] = {}
    parameters = None
    for certificate in reversed(chain):
        key = certificate.public_key
        if key.algorithm != "dsa":
            parameters = None
        elif key["algorithm"]["parameters"].native is not None:
            parameters = key["algorithm"]["parameters"]
        elif parameters is not None:
            completed = key.copy()
            completed["algorithm"]["parameters"] = parameters.copy()
            found[key.dump()] = completed
    return found


def check_signature(certificate: x509.Certificate, key: keys.PublicKeyInfo) -> None:
    """Return if that key made the certificate's signature, by whatever algorithm; InvalidSignature otherwise."""
    _verify(
        certificate["signature_value"].native,
        certificate["tbs_certificate"].dump(),
        key,
        certificate["signature_algorithm"],
        DEFAULT_VALIDATION_CONTEXT,
    )


def _verify(
    signature: bytes,
    data: bytes,
    key: keys.PublicKeyInfo,
    algorithm: algos.SignedDigestAlgorithm,
    context: SignatureValidationContext,
) -> None:
    try:
        DEFAULT_SIGNATURE_VALIDATOR.validate_signature(signature, data, key, algorithm, context)
    except InvalidSignature:
        raise
    # Keys and parameters come from whoever made the certificate: what they make a library stumble over, verifies not.
    except Exception:
        raise InvalidSignature from None
