"""Signatures verify with exactly the parameters they state, and with no others."""

# One case a line, however long: the tables are read by rows.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import BadSignature, CaError, MalformedDer, ProfileViolation
from ca_core.keys.key_material import make_key, public_key_info, signing
from ca_core.x509 import der
from ca_core.x509.algorithm import (
    fits,
    key_algorithm_of,
    public_key_identifier,
    signature_algorithm_identifier,
    signature_algorithm_of,
)
from ca_core.x509.signature import verify_signature

DATA = b"to be signed"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
SHA1, SHA256, SHA384 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2"
PAIRS = [
    (kind, one)
    for kind in KeyAlgorithm
    for one in SignatureAlgorithm
    if fits(kind, one) and (not kind.is_rsa or kind is KeyAlgorithm.RSA_2048)
]


def spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def pss(
    digest: str = SHA256,
    *,
    mgf_digest: str | None = None,
    salt: int | None = 32,
    null: bool = True,
    trailer: int | None = None,
    mgf: str = "1.2.840.113549.1.1.8",
) -> bytes:
    """An AlgorithmIdentifier of RSASSA-PSS with those parameters."""
    rest = der.NULL if null else b""
    return der.sequence(
        der.oid("1.2.840.113549.1.1.10"),
        der.sequence(
            der.explicit(0, der.sequence(der.oid(digest), rest)),
            der.explicit(1, der.sequence(der.oid(mgf), der.sequence(der.oid(mgf_digest or digest), rest))),
            b"" if salt is None else der.explicit(2, der.integer(salt)),
            b"" if trailer is None else der.explicit(3, der.integer(trailer)),
        ),
    )


def signed_pss(salt: int = 32, digest: hashes.HashAlgorithm | None = None) -> bytes:
    digest = digest or hashes.SHA256()
    return RSA.sign(DATA, padding.PSS(padding.MGF1(digest), salt), digest)


@pytest.mark.parametrize(("kind", "algorithm"), PAIRS, ids=[f"{kind}-{one}" for kind, one in PAIRS])
def test_a_signature_verifies_over_its_own_data_only(kind: KeyAlgorithm, algorithm: SignatureAlgorithm) -> None:
    key = make_key(kind)
    identifier = signature_algorithm_identifier(algorithm)
    signature = signing(key, algorithm)(DATA)
    verify_signature(public_key_info(key), identifier, DATA, signature)
    for data, value in ((DATA + b"x", signature), (DATA, signature[:-1] + bytes([signature[-1] ^ 1])), (DATA, b"")):
        with pytest.raises((BadSignature, MalformedDer)):
            verify_signature(public_key_info(key), identifier, data, value)


@pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=lambda one: one.value)
def test_every_identifier_names_its_algorithm(algorithm: SignatureAlgorithm) -> None:
    assert signature_algorithm_of(signature_algorithm_identifier(algorithm)) is algorithm


def test_every_key_has_a_default_signature_that_fits() -> None:
    assert all(fits(kind, DEFAULT_SIGNATURE[kind]) for kind in KeyAlgorithm)


ACCEPTED: dict[str, tuple[bytes, Callable[[], bytes]]] = {
    "without-null": (pss(null=False), signed_pss),
    "trailer-written": (pss(trailer=1), signed_pss),
    "short-salt": (pss(salt=8), lambda: signed_pss(8)),
    "default-salt": (pss(salt=None), lambda: signed_pss(20)),
}


@pytest.mark.parametrize(("identifier", "sign"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_pss_verifies_with_the_parameters_it_states(identifier: bytes, sign: Callable[[], bytes]) -> None:
    verify_signature(spki(RSA), identifier, DATA, sign())
    # But the authority itself writes one form of each, and takes no other for its own.
    with pytest.raises(ProfileViolation):
        signature_algorithm_of(identifier)


def algorithm(oid: str, *parameters: bytes) -> bytes:
    return der.sequence(der.oid(oid), *parameters)


PKCS1 = "1.2.840.113549.1.1.11"
REFUSED: dict[str, tuple[Any, bytes, Callable[[], bytes]]] = {
    "pss-other-salt": (RSA, pss(salt=20), signed_pss),
    "pss-other-digest": (RSA, pss(SHA384, salt=32), signed_pss),
    "pss-other-mgf-digest": (RSA, pss(mgf_digest=SHA384), signed_pss),
    "pss-sha-1": (RSA, pss(SHA1, salt=20), lambda: signed_pss(20, hashes.SHA1())),
    "pss-defaults": (RSA, algorithm("1.2.840.113549.1.1.10", der.sequence()), lambda: signed_pss(20, hashes.SHA1())),
    "pss-without-parameters": (RSA, algorithm("1.2.840.113549.1.1.10"), signed_pss),
    "pss-trailer-2": (RSA, pss(trailer=2), signed_pss),
    "pss-negative-salt": (RSA, pss(salt=-1), signed_pss),
    "pss-huge-salt": (RSA, pss(salt=1 << 64), signed_pss),
    "pss-other-mask": (RSA, pss(mgf="1.2.3.4"), signed_pss),
    "pss-parameters-in-disorder": (
        RSA,
        algorithm(
            "1.2.840.113549.1.1.10",
            der.sequence(der.explicit(2, der.integer(32)), der.explicit(0, der.sequence(der.oid(SHA256)))),
        ),
        signed_pss,
    ),
    "pss-parameter-twice": (
        RSA,
        algorithm("1.2.840.113549.1.1.10", der.sequence(*[der.explicit(0, der.sequence(der.oid(SHA256)))] * 2)),
        signed_pss,
    ),
    "pkcs1-without-null": (RSA, algorithm(PKCS1), lambda: RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA256())),
    "pkcs1-other-parameters": (
        RSA,
        algorithm(PKCS1, der.integer(1)),
        lambda: RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA256()),
    ),
    "pkcs1-sha-1": (
        RSA,
        algorithm("1.2.840.113549.1.1.5", der.NULL),
        lambda: RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA1()),
    ),
    "ecdsa-sha-1": (EC, algorithm("1.2.840.10045.4.1"), lambda: EC.sign(DATA, ec.ECDSA(hashes.SHA1()))),
    "ecdsa-with-null": (
        EC,
        algorithm("1.2.840.10045.4.3.2", der.NULL),
        lambda: EC.sign(DATA, ec.ECDSA(hashes.SHA256())),
    ),
    "ecdsa-by-rsa-name": (EC, algorithm(PKCS1, der.NULL), lambda: EC.sign(DATA, ec.ECDSA(hashes.SHA256()))),
    "ecdsa-not-der": (
        EC,
        algorithm("1.2.840.10045.4.3.2"),
        lambda: b"\x30\x81" + EC.sign(DATA, ec.ECDSA(hashes.SHA256()))[1:],
    ),
    "ecdsa-zeros": (EC, algorithm("1.2.840.10045.4.3.2"), lambda: der.sequence(der.integer(0), der.integer(0))),
    "ed25519-with-null": (ED, algorithm("1.3.101.112", der.NULL), lambda: ED.sign(DATA)),
    "ed25519-as-ed448": (ED, algorithm("1.3.101.113"), lambda: ED.sign(DATA)),
    "algorithm-of-nobody": (ED, algorithm("1.2.3.4"), lambda: ED.sign(DATA)),
    "no-algorithm": (ED, der.sequence(), lambda: ED.sign(DATA)),
    "no-der": (ED, b"\xff", lambda: ED.sign(DATA)),
}


@pytest.mark.parametrize(("key", "identifier", "sign"), REFUSED.values(), ids=REFUSED.keys())
def test_a_signature_is_refused_that_does_not_state_what_it_is(
    key: Any, identifier: bytes, sign: Callable[[], bytes]
) -> None:
    with pytest.raises((BadSignature, MalformedDer)):
        verify_signature(spki(key), identifier, DATA, sign())


@pytest.mark.parametrize(
    "key",
    [b"", der.NULL, der.sequence(der.sequence(der.oid("1.2.3")), der.bit_string(b""))],
    ids=["nothing", "null", "unknown"],
)
def test_a_key_that_is_none_verifies_nothing(key: bytes) -> None:
    with pytest.raises(CaError):
        verify_signature(key, signature_algorithm_identifier(SignatureAlgorithm.ED25519), DATA, b"")


def test_a_key_identifier_is_method_1_of_rfc_5280() -> None:
    from cryptography import x509

    for key in (RSA, EC, ED):
        assert public_key_identifier(spki(key)) == x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
        assert key_algorithm_of(spki(key)) in KeyAlgorithm
