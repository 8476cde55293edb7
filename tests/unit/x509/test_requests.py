"""Certification requests: what openssl, cryptography and others write is read; what is not exactly one is refused."""

# One case a line, however long: the tables are read by rows.
# ruff: noqa: E501

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import CaError, MalformedDer, PossessionNotProven, ProfileViolation, WeakKey
from ca_core.x509 import der
from ca_core.x509.extension import Extension
from ca_core.x509.pem import to_pem
from ca_core.x509.request import MAX_SIZE, CertificationRequest

KEYS: dict[KeyAlgorithm, Callable[[], Any]] = {
    KeyAlgorithm.RSA_2048: lambda: rsa.generate_private_key(65537, 2048),
    KeyAlgorithm.EC_P256: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyAlgorithm.EC_P384: lambda: ec.generate_private_key(ec.SECP384R1()),
    KeyAlgorithm.EC_P521: lambda: ec.generate_private_key(ec.SECP521R1()),
    KeyAlgorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
    KeyAlgorithm.ED448: ed448.Ed448PrivateKey.generate,
    KeyAlgorithm.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeyAlgorithm.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeyAlgorithm.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
}
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
MICROSOFT = "1.3.6.1.4.1.311.2.1.14"
SAN = "2.5.29.17"
NAMES = der.sequence(der.tlv(0x82, b"a.example"))


def digest_for(key: Any) -> hashes.SHA256 | None:
    return hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def builder(common_name: str = "Ёлка") -> x509.CertificateSigningRequestBuilder:
    name = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )
    return x509.CertificateSigningRequestBuilder().subject_name(name)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def request_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    asked = x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("b@a.example")])
    made = builder().add_extension(asked, critical=False).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def own(key: ec.EllipticCurvePrivateKey, **parts: bytes) -> bytes:
    """A request of the given parts, properly signed."""
    good = {
        "version": der.integer(0),
        "subject": der.sequence(),
        "public": key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "attributes": b"\xa0\x00",
        "algorithm": der.sequence(der.oid("1.2.840.10045.4.3.2")),
        "after": b"",
    }
    parts = good | parts
    information = der.sequence(parts["version"], parts["subject"], parts["public"], parts["attributes"])
    signature = parts.get("signature", der.bit_string(key.sign(information, ec.ECDSA(hashes.SHA256()))))
    return der.sequence(information, parts["algorithm"], signature, parts["after"])


def attribute(oid: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(*values))


def asking(*extensions: bytes) -> bytes:
    """The [0] attributes that ask for those extensions."""
    return der.implicit(0, der.set_of(attribute(EXTENSION_REQUEST, der.sequence(*extensions))))


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: kind.value)
def test_a_request_of_every_kind_of_key_is_read_and_proves_possession(kind: KeyAlgorithm) -> None:
    key = KEYS[kind]()
    encoded = builder().sign(key, digest_for(key)).public_bytes(Encoding.DER)
    request = CertificationRequest.parse(encoded)
    assert request.key_algorithm is kind
    assert request.der == encoded
    assert str(request.name) == "CN=Ёлка,C=XX"
    request.prove_possession()


def test_a_request_signed_with_pss_proves_possession() -> None:
    key = KEYS[KeyAlgorithm.RSA_2048]()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    made = builder().sign(key, hashes.SHA256(), rsa_padding=pss).public_bytes(Encoding.DER)
    CertificationRequest.parse(made).prove_possession()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the package openssl")
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_request_of_openssl_is_read(tmp_path: Path, form: str) -> None:
    subject = [
        "-subj",
        "/C=RU/O=ООО Пример/CN=a.example",
        "-utf8",
        "-addext",
        "subjectAltName=DNS:a.example,IP:192.0.2.1",
    ]
    command = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-outform",
        form,
        *subject,
    ]
    subprocess.run([*command, "-out", "request"], cwd=tmp_path, check=True, capture_output=True)
    request = CertificationRequest.parse((tmp_path / "request").read_bytes())
    request.prove_possession()
    assert request.san == (("dns", "a.example"), ("ip", "192.0.2.1"))
    assert [one.value for one in request.subject] == ["RU", "ООО Пример", "a.example"]


@pytest.mark.parametrize("label", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
def test_pem_is_read_with_white_space_around(request_der: bytes, label: str) -> None:
    for text in (to_pem(request_der, label), "\r\n\n" + to_pem(request_der, label).replace("\n", "\r\n") + "  \n"):
        assert CertificationRequest.parse(text.encode()).der == request_der


def test_what_is_asked_for_is_told(request_der: bytes) -> None:
    request = CertificationRequest.parse(request_der)
    assert request.san == (("dns", "a.example"), ("email", "b@a.example"))
    assert [one.oid for one in request.requested_extensions] == [SAN]


def test_a_microsoft_extension_request_is_read(key: ec.EllipticCurvePrivateKey) -> None:
    wanted = der.sequence(Extension(SAN, False, NAMES).der)
    attributes = der.implicit(
        0, der.set_of(attribute(MICROSOFT, wanted), attribute("1.3.6.1.4.1.311.13.2.3", der.ia5_string("10.0")))
    )
    assert CertificationRequest.parse(own(key, attributes=attributes)).san == (("dns", "a.example"),)


MALFORMED: dict[str, Callable[[ec.EllipticCurvePrivateKey], bytes]] = {
    "nothing": lambda key: b"",
    "two-requests": lambda key: own(key) * 2,
    "trailing-octet": lambda key: own(key) + b"\x00",
    "too-large": lambda key: own(key, after=der.octet_string(bytes(MAX_SIZE))),
    "version-2": lambda key: own(key, version=der.integer(1)),
    "no-attributes": lambda key: own(key, attributes=b""),
    "fourth-member": lambda key: own(key, after=der.NULL),
    "33-attributes": lambda key: own(key, attributes=der.implicit(0, der.set_of(*(attribute(f"1.2.3.{n}", der.NULL) for n in range(33))))),
    "attribute-twice": lambda key: own(key, attributes=der.implicit(0, der.set_of(attribute("1.2.3", der.NULL), attribute("1.2.3", der.integer(1))))),
    "attribute-without-value": lambda key: own(key, attributes=der.implicit(0, der.set_of(attribute("1.2.3")))),
    "extension-request-twice": lambda key: own(key, attributes=der.implicit(0, der.set_of(*(attribute(oid, der.sequence(Extension(SAN, False, NAMES).der)) for oid in (EXTENSION_REQUEST, MICROSOFT))))),
    "extension-request-of-two-values": lambda key: own(key, attributes=der.implicit(0, der.set_of(attribute(EXTENSION_REQUEST, der.sequence(Extension(SAN, False, NAMES).der), der.sequence(Extension("1.2.3", False, der.NULL).der))))),
    "extension-twice": lambda key: own(key, attributes=asking(Extension(SAN, False, NAMES).der, Extension(SAN, True, NAMES).der)),
    "no-extension": lambda key: own(key, attributes=asking()),
    "critical-false": lambda key: own(key, attributes=asking(der.sequence(der.oid("1.2.3"), der.boolean(False), der.octet_string(b"")))),
    "garbage-alternative-names": lambda key: own(key, attributes=asking(Extension(SAN, False, b"\xff\xff").der)),
    "no-alternative-name": lambda key: own(key, attributes=asking(Extension(SAN, False, der.sequence()).der)),
    "subject-of-numbers": lambda key: own(key, subject=der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.integer(5))))),
    "subject-with-empty-part": lambda key: own(key, subject=der.sequence(der.set_of())),
    "signature-of-7-bits": lambda key: own(key, signature=der.bit_string(b"\x80", unused=7)),
    "no-key": lambda key: own(key, public=der.sequence(der.sequence(), der.bit_string(b""))),
    "wrong-pem-label": lambda key: to_pem(own(key), "CERTIFICATE").encode(),
    "two-pem-blocks": lambda key: to_pem(own(key), "CERTIFICATE REQUEST").encode() * 2,
    "words-before-pem": lambda key: b"Request:\n" + to_pem(own(key), "CERTIFICATE REQUEST").encode(),
    "labels-that-differ": lambda key: to_pem(own(key), "CERTIFICATE REQUEST").replace("END CERTIFICATE", "END NEW CERTIFICATE").encode(),
    "bad-base64": lambda key: to_pem(own(key), "CERTIFICATE REQUEST").replace("M", "=", 1).encode(),
    "plain-base64": lambda key: base64.b64encode(own(key)),
}  # fmt: skip


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_exactly_one_request_is_refused(
    key: ec.EllipticCurvePrivateKey, make: Callable[[ec.EllipticCurvePrivateKey], bytes]
) -> None:
    CertificationRequest.parse(own(key)).prove_possession()
    with pytest.raises(MalformedDer):
        CertificationRequest.parse(make(key))


def dsa_key() -> bytes:
    numbers = der.sequence(der.integer(1 << 2047 | 1), der.integer(1 << 255 | 1), der.integer(2))
    return der.sequence(der.sequence(der.oid("1.2.840.10040.4.1"), numbers), der.bit_string(der.integer(4)))


def rsa_key(modulus: int) -> bytes:
    numbers = der.sequence(der.integer(modulus), der.integer(65537))
    return der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL), der.bit_string(numbers))


NOT_CERTIFIED: dict[str, tuple[bytes, type[CaError]]] = {
    "dsa": (dsa_key(), ProfileViolation),
    "rsa-1024": (rsa_key(1 << 1023 | 1), WeakKey),
    "rsa-8192": (rsa_key(1 << 8191 | 1), ProfileViolation),
}


@pytest.mark.parametrize(("spki", "error"), NOT_CERTIFIED.values(), ids=NOT_CERTIFIED.keys())
def test_a_key_that_is_not_certified_is_refused(
    key: ec.EllipticCurvePrivateKey, spki: bytes, error: type[CaError]
) -> None:
    with pytest.raises(error):
        CertificationRequest.parse(own(key, public=spki))


UNPROVEN: dict[str, Callable[[ec.EllipticCurvePrivateKey], bytes]] = {
    "another-key": lambda key: own(key, public=ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "garbage": lambda key: own(key, signature=der.bit_string(b"garbage")),
    "empty": lambda key: own(key, signature=der.bit_string(b"")),
    "zeros": lambda key: own(key, signature=der.bit_string(der.sequence(der.integer(0), der.integer(0)))),
    "sha-1": lambda key: own(key, algorithm=der.sequence(der.oid("1.2.840.10045.4.1"))),
    "other-digest": lambda key: own(key, algorithm=der.sequence(der.oid("1.2.840.10045.4.3.3"))),
    "rsa-algorithm": lambda key: own(key, algorithm=der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)),
    "parameters-where-none-belong": lambda key: own(key, algorithm=der.sequence(der.oid("1.2.840.10045.4.3.2"), der.NULL)),
    "algorithm-of-nobody": lambda key: own(key, algorithm=der.sequence(der.oid("1.2.3.4"))),
}  # fmt: skip


@pytest.mark.parametrize("make", UNPROVEN.values(), ids=UNPROVEN.keys())
def test_invariant_5_a_request_that_its_key_did_not_sign_proves_nothing(
    key: ec.EllipticCurvePrivateKey, make: Callable[[ec.EllipticCurvePrivateKey], bytes]
) -> None:
    request = CertificationRequest.parse(make(key))
    with pytest.raises(PossessionNotProven, match="not signed by its own key"):
        request.prove_possession()


def test_invariant_5_a_changed_request_proves_nothing(request_der: bytes) -> None:
    changed = request_der.replace(b"a.example", b"b.example", 1)
    with pytest.raises(PossessionNotProven):
        CertificationRequest.parse(changed).prove_possession()
