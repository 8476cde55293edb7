"""AlgorithmIdentifier and SubjectPublicKeyInfo: which key, which signature, written how.

RFC 3279 and 4055 (RSA), 5480 and 5758 (EC), 8410 (EdDSA), 9881 (ML-DSA).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import MalformedDer, ProfileViolation, WeakKey
from ca_core.x509 import der
from ca_core.x509.curve import CURVES
from ca_core.x509.der_reader import NULL, OID, SEQUENCE, Element, decode

MAX_PUBLIC_KEY_SIZE = 8192
"""Octets of a SubjectPublicKeyInfo; ML-DSA-87 needs 2,614."""

MIN_RSA_EXPONENT = 65537
MAX_RSA_EXPONENT = 1 << 256
"""FIPS 186-5 §A.1.1: 2**16 < e < 2**256."""

_RSA = "1.2.840.113549.1.1.1"
_EC = "1.2.840.10045.2.1"
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"

_DIGESTS = {
    "sha256": ("2.16.840.1.101.3.4.2.1", 32),
    "sha384": ("2.16.840.1.101.3.4.2.2", 48),
    "sha512": ("2.16.840.1.101.3.4.2.3", 64),
}

_KEY_WITHOUT_PARAMETERS = {
    "1.3.101.112": (KeyAlgorithm.ED25519, 32),
    "1.3.101.113": (KeyAlgorithm.ED448, 57),
    "2.16.840.1.101.3.4.3.17": (KeyAlgorithm.ML_DSA_44, 1312),
    "2.16.840.1.101.3.4.3.18": (KeyAlgorithm.ML_DSA_65, 1952),
    "2.16.840.1.101.3.4.3.19": (KeyAlgorithm.ML_DSA_87, 2592),
}
_RSA_BY_SIZE = {2048: KeyAlgorithm.RSA_2048, 3072: KeyAlgorithm.RSA_3072, 4096: KeyAlgorithm.RSA_4096}


def _pss(digest: str) -> bytes:
    """RSASSA-PSS with all its parameters, the salt as long as the digest (RFC 4055 §3.1)."""
    oid, size = _DIGESTS[digest]
    hash_algorithm = der.sequence(der.oid(oid), der.NULL)
    parameters = der.sequence(
        der.explicit(0, hash_algorithm),
        der.explicit(1, der.sequence(der.oid(_MGF1), hash_algorithm)),
        der.explicit(2, der.integer(size)),
    )
    return der.sequence(der.oid(_PSS), parameters)


_IDENTIFIERS: dict[SignatureAlgorithm, bytes] = {
    # RFC 4055 §5: the parameters of PKCS #1 v1.5 are NULL.
    SignatureAlgorithm.RSA_PKCS1_SHA256: der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL),
    SignatureAlgorithm.RSA_PKCS1_SHA384: der.sequence(der.oid("1.2.840.113549.1.1.12"), der.NULL),
    SignatureAlgorithm.RSA_PKCS1_SHA512: der.sequence(der.oid("1.2.840.113549.1.1.13"), der.NULL),
    SignatureAlgorithm.RSA_PSS_SHA256: _pss("sha256"),
    SignatureAlgorithm.RSA_PSS_SHA384: _pss("sha384"),
    SignatureAlgorithm.RSA_PSS_SHA512: _pss("sha512"),
    # RFC 5758 §3.2, RFC 8410 §3, RFC 9881 §2: all others have none.
    SignatureAlgorithm.ECDSA_SHA256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    SignatureAlgorithm.ECDSA_SHA384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
    SignatureAlgorithm.ECDSA_SHA512: der.sequence(der.oid("1.2.840.10045.4.3.4")),
    SignatureAlgorithm.ED25519: der.sequence(der.oid("1.3.101.112")),
    SignatureAlgorithm.ED448: der.sequence(der.oid("1.3.101.113")),
    SignatureAlgorithm.ML_DSA_44: der.sequence(der.oid("2.16.840.1.101.3.4.3.17")),
    SignatureAlgorithm.ML_DSA_65: der.sequence(der.oid("2.16.840.1.101.3.4.3.18")),
    SignatureAlgorithm.ML_DSA_87: der.sequence(der.oid("2.16.840.1.101.3.4.3.19")),
}
_BY_IDENTIFIER = {identifier: algorithm for algorithm, identifier in _IDENTIFIERS.items()}


def signature_algorithm_identifier(algorithm: SignatureAlgorithm) -> bytes:
    """The DER AlgorithmIdentifier that names ``algorithm`` in a certificate, CRL or OCSP response."""
    return _IDENTIFIERS[algorithm]


def signature_algorithm_of(identifier: bytes) -> SignatureAlgorithm:
    """The algorithm a DER AlgorithmIdentifier names, parameters compared byte for byte.

    :class:`ProfileViolation` for every other algorithm, SHA-1 and MD5 among them.
    """
    algorithm = _BY_IDENTIFIER.get(identifier)
    if algorithm is None:
        decode(identifier)
        raise ProfileViolation("the signature algorithm is not one that the authority uses")
    return algorithm


def fits(key: KeyAlgorithm, algorithm: SignatureAlgorithm) -> bool:
    """Whether a key of that kind can make that signature. An EC key may use any of the digests."""
    if key.is_rsa:
        return algorithm.value.startswith("rsa-")
    if key.is_ec:
        return algorithm.value.startswith("ecdsa-")
    return algorithm.value == key.value


@lru_cache(maxsize=512)
def key_algorithm_of(public_key_info: bytes) -> KeyAlgorithm:
    """The kind of key in a DER SubjectPublicKeyInfo, its form checked in full.

    :class:`MalformedDer` for bytes that are no key, :class:`WeakKey` for a key that anybody could break or that
    is none (RSA below 2048 bits, a bad exponent, a point off its curve), :class:`ProfileViolation` for kinds
    that the authority does not certify.
    """
    if len(public_key_info) > MAX_PUBLIC_KEY_SIZE:
        raise MalformedDer(f"the public key is longer than {MAX_PUBLIC_KEY_SIZE} octets")
    algorithm, key = decode(public_key_info).sequence("the public key", least=2, most=2)
    fields = algorithm.sequence("the key's algorithm", least=1, most=2)
    oid = fields[0].oid("the key's algorithm")
    parameters = fields[1] if len(fields) == 2 else None
    content = key.bits("the public key")
    if oid == _RSA:
        if parameters is None or parameters.tag != NULL:
            raise MalformedDer("an RSA key's algorithm has NULL parameters (RFC 3279 section 2.3.1)")
        return _rsa(decode(content))
    if oid == _EC:
        return _ec(parameters, content)
    if oid not in _KEY_WITHOUT_PARAMETERS:
        raise ProfileViolation("the authority does not certify this kind of key; use RSA, EC, EdDSA or ML-DSA")
    if parameters is not None:
        raise MalformedDer("this kind of key has no algorithm parameters (RFC 8410, RFC 9881)")
    kind, size = _KEY_WITHOUT_PARAMETERS[oid]
    if len(content) != size:
        raise MalformedDer(f"an {kind.value} public key has {size} octets")
    return kind


def public_key_bits(public_key_info: bytes) -> bytes:
    """The content of the subjectPublicKey BIT STRING, over which key hashes are taken."""
    _, key = decode(public_key_info).sequence("the public key", least=2, most=2)
    return key.bits("the public key")


@lru_cache(maxsize=512)
def public_key_identifier(public_key_info: bytes) -> bytes:
    """The key identifier of RFC 5280 §4.2.1.2 (1): 20 octets, SHA-1 over the subjectPublicKey's content."""
    # A name for a key, not a protection of one: SHA-1 is what the clause fixes.
    return hashlib.sha1(public_key_bits(public_key_info), usedforsecurity=False).digest()


def _rsa(key: Element) -> KeyAlgorithm:
    members = key.sequence("the RSA key", least=2, most=2)
    modulus = members[0].integer("the RSA modulus")
    exponent = members[1].integer("the RSA exponent")
    if modulus <= 0 or exponent <= 0:
        raise MalformedDer("an RSA key's numbers are positive")
    if modulus.bit_length() < 2048:
        raise WeakKey(f"the RSA key has {modulus.bit_length()} bits; use 2048, 3072 or 4096")
    if modulus % 2 == 0:
        raise WeakKey("the RSA modulus is even, so it is no key; make a new one")
    if exponent % 2 == 0 or not MIN_RSA_EXPONENT <= exponent < MAX_RSA_EXPONENT:
        raise WeakKey("the RSA public exponent is even, too small or too large; use 65537")
    if modulus.bit_length() not in _RSA_BY_SIZE:
        raise ProfileViolation(f"the RSA key has {modulus.bit_length()} bits; use 2048, 3072 or 4096")
    return _RSA_BY_SIZE[modulus.bit_length()]


def _ec(parameters: Element | None, point: bytes) -> KeyAlgorithm:
    if parameters is None:
        raise MalformedDer("an EC key names its curve (RFC 5480 section 2.1.1)")
    if parameters.tag == SEQUENCE:
        # Parameters written out let the sender choose the generator (CVE-2020-0601).
        raise WeakKey("the EC key writes its curve out in numbers; use a named curve")
    curve = CURVES.get(parameters.expect(OID, "the EC curve").oid("the EC curve"))
    if curve is None:
        raise ProfileViolation("the EC curve is not one that the authority certifies; use P-256, P-384 or P-521")
    curve.check_point(point)
    return curve.algorithm
