"""How each algorithm is spoken of in PKCS#11: mechanisms, templates, and the forms of signatures and public keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pkcs11 import MGF, Attribute, Key, KeyType, Mechanism
from pkcs11.types import SignMixin

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.x509 import der
from ca_core.x509.der_reader import OCTET_STRING, decode

_RSA_SIZES = {KeyAlgorithm.RSA_2048: 2048, KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}

_CURVE_OIDS = {
    KeyAlgorithm.EC_P256: "1.2.840.10045.3.1.7",
    KeyAlgorithm.EC_P384: "1.3.132.0.34",
    KeyAlgorithm.EC_P521: "1.3.132.0.35",
    KeyAlgorithm.ED25519: "1.3.101.112",
    KeyAlgorithm.ED448: "1.3.101.113",
}
_EDWARDS_NAMES = {
    # PKCS#11 v3.0 names these curves by a PrintableString, v3.1 by an OID.
    der.printable_string("edwards25519"): _CURVE_OIDS[KeyAlgorithm.ED25519],
    der.printable_string("edwards448"): _CURVE_OIDS[KeyAlgorithm.ED448],
    der.oid("1.3.101.112"): _CURVE_OIDS[KeyAlgorithm.ED25519],
    der.oid("1.3.101.113"): _CURVE_OIDS[KeyAlgorithm.ED448],
}

_RSA_MECHANISMS: dict[SignatureAlgorithm, tuple[Mechanism, tuple[Mechanism, MGF, int] | None]] = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: (Mechanism.SHA256_RSA_PKCS, None),
    SignatureAlgorithm.RSA_PKCS1_SHA384: (Mechanism.SHA384_RSA_PKCS, None),
    SignatureAlgorithm.RSA_PKCS1_SHA512: (Mechanism.SHA512_RSA_PKCS, None),
    SignatureAlgorithm.RSA_PSS_SHA256: (Mechanism.SHA256_RSA_PKCS_PSS, (Mechanism.SHA256, MGF.SHA256, 32)),
    SignatureAlgorithm.RSA_PSS_SHA384: (Mechanism.SHA384_RSA_PKCS_PSS, (Mechanism.SHA384, MGF.SHA384, 48)),
    SignatureAlgorithm.RSA_PSS_SHA512: (Mechanism.SHA512_RSA_PKCS_PSS, (Mechanism.SHA512, MGF.SHA512, 64)),
}
_ECDSA_DIGESTS: dict[SignatureAlgorithm, Callable[[bytes], Any]] = {
    SignatureAlgorithm.ECDSA_SHA256: hashlib.sha256,
    SignatureAlgorithm.ECDSA_SHA384: hashlib.sha384,
    SignatureAlgorithm.ECDSA_SHA512: hashlib.sha512,
}


def generation(algorithm: KeyAlgorithm) -> tuple[KeyType, Mechanism, int | bytes]:
    """Key type, mechanism and either the bits of the modulus or the DER of the curve."""
    if algorithm.is_rsa:
        return KeyType.RSA, Mechanism.RSA_PKCS_KEY_PAIR_GEN, _RSA_SIZES[algorithm]
    if algorithm.is_ec:
        return KeyType.EC, Mechanism.EC_KEY_PAIR_GEN, der.oid(_CURVE_OIDS[algorithm])
    if algorithm in _CURVE_OIDS:
        return KeyType.EC_EDWARDS, Mechanism.EC_EDWARDS_KEY_PAIR_GEN, der.oid(_CURVE_OIDS[algorithm])
    raise InvalidInput(f"keys of the kind {algorithm.value} are not made on tokens; use a software key")


def sign(key: SignMixin, algorithm: SignatureAlgorithm, data: bytes) -> bytes:
    """The signature value as X.509 has it. python-pkcs11's errors pass through."""
    if algorithm in _RSA_MECHANISMS:
        mechanism, parameters = _RSA_MECHANISMS[algorithm]
        return bytes(key.sign(data, mechanism=mechanism, mechanism_param=parameters))
    if algorithm in _ECDSA_DIGESTS:
        # Hashed here: tokens differ in which CKM_ECDSA_SHA* they know, and all know CKM_ECDSA.
        raw = key.sign(_ECDSA_DIGESTS[algorithm](data).digest(), mechanism=Mechanism.ECDSA)
        half = len(raw) // 2
        # RFC 3279 §2.2.3: a SEQUENCE of r and s; PKCS#11 v3.1 §6.3.1 has them side by side.
        return der.sequence(
            der.integer(int.from_bytes(raw[:half], "big")), der.integer(int.from_bytes(raw[half:], "big"))
        )
    if algorithm in (SignatureAlgorithm.ED25519, SignatureAlgorithm.ED448):
        return bytes(key.sign(data, mechanism=Mechanism.EDDSA))
    raise InvalidInput(f"tokens do not sign with {algorithm.value} here; use a software key")


def public_key_info(key: Key) -> bytes:
    """The DER SubjectPublicKeyInfo of a public key object."""
    kind = key.key_type
    if kind is KeyType.RSA:
        numbers = (
            int.from_bytes(key[attribute], "big") for attribute in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT)
        )
        return der.sequence(
            der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL),
            der.bit_string(der.sequence(*map(der.integer, numbers))),
        )
    if kind is KeyType.EC:
        return der.sequence(
            der.sequence(der.oid("1.2.840.10045.2.1"), key[Attribute.EC_PARAMS]),
            der.bit_string(_point(key[Attribute.EC_POINT])),
        )
    if kind is KeyType.EC_EDWARDS and key[Attribute.EC_PARAMS] in _EDWARDS_NAMES:
        curve = _EDWARDS_NAMES[key[Attribute.EC_PARAMS]]
        return der.sequence(der.sequence(der.oid(curve)), der.bit_string(_point(key[Attribute.EC_POINT])))
    raise InvalidInput("the key on the token is of a kind that the authority does not use")


def _point(attribute: bytes) -> bytes:
    """CKA_EC_POINT is an OCTET STRING (PKCS#11 v3.1 §6.3.3), but some tokens give the bare point."""
    try:
        element = decode(attribute)
    except MalformedDer:
        return attribute
    return element.content if element.tag == OCTET_STRING else attribute
