"""Making and using private keys that are in this process's memory."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import ConfigurationError

_EXPONENT = 65537

_MAKERS: dict[KeyAlgorithm, Callable[[], PrivateKeyTypes]] = {
    KeyAlgorithm.RSA_2048: lambda: rsa.generate_private_key(_EXPONENT, 2048),
    KeyAlgorithm.RSA_3072: lambda: rsa.generate_private_key(_EXPONENT, 3072),
    KeyAlgorithm.RSA_4096: lambda: rsa.generate_private_key(_EXPONENT, 4096),
    KeyAlgorithm.EC_P256: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyAlgorithm.EC_P384: lambda: ec.generate_private_key(ec.SECP384R1()),
    KeyAlgorithm.EC_P521: lambda: ec.generate_private_key(ec.SECP521R1()),
    KeyAlgorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
    KeyAlgorithm.ED448: ed448.Ed448PrivateKey.generate,
    KeyAlgorithm.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeyAlgorithm.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeyAlgorithm.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
}

_DIGESTS: dict[SignatureAlgorithm, type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]] = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: hashes.SHA256,
    SignatureAlgorithm.RSA_PKCS1_SHA384: hashes.SHA384,
    SignatureAlgorithm.RSA_PKCS1_SHA512: hashes.SHA512,
    SignatureAlgorithm.RSA_PSS_SHA256: hashes.SHA256,
    SignatureAlgorithm.RSA_PSS_SHA384: hashes.SHA384,
    SignatureAlgorithm.RSA_PSS_SHA512: hashes.SHA512,
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256,
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384,
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512,
}
_PSS = (SignatureAlgorithm.RSA_PSS_SHA256, SignatureAlgorithm.RSA_PSS_SHA384, SignatureAlgorithm.RSA_PSS_SHA512)


def make_key(algorithm: KeyAlgorithm) -> PrivateKeyTypes:
    """A new key from the cryptographic library's own entropy."""
    return _MAKERS[algorithm]()


def public_key_info(key: PrivateKeyTypes) -> bytes:
    """The DER SubjectPublicKeyInfo of the key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signing(key: PrivateKeyTypes, algorithm: SignatureAlgorithm) -> Callable[[bytes], bytes]:
    """The function that signs with ``key`` as ``algorithm`` says; the caller has checked that the two fit.

    EC signatures are DER ECDSA-Sig-Value; the salt of PSS is as long as the digest (RFC 4055 §3.1). Thread-safe.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        digest = _DIGESTS[algorithm]()
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm in _PSS else padding.PKCS1v15()
        rsa_key = key
        return lambda data: rsa_key.sign(data, scheme, digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ecdsa = ec.ECDSA(_DIGESTS[algorithm]())
        ec_key = key
        return lambda data: ec_key.sign(data, ecdsa)
    if isinstance(
        key,
        ed25519.Ed25519PrivateKey
        | ed448.Ed448PrivateKey
        | mldsa.MLDSA44PrivateKey
        | mldsa.MLDSA65PrivateKey
        | mldsa.MLDSA87PrivateKey,
    ):
        return key.sign
    raise ConfigurationError("the private key is of a kind that does not sign")
