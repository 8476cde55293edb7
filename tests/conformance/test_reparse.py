"""Four decoders read what we make, and each encodes it again to the same bytes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1crypto_crl, ocsp as asn1crypto_ocsp, x509 as asn1crypto_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pyasn1.codec.der import decoder, encoder
from pyasn1_alt_modules import rfc5280, rfc6960

from ca_core.domain.algorithms import DEFAULT_SIGNATURE, KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.identifiers import Serial
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.crl import CertificateList
from ca_core.x509.ocsp import NEVER_ISSUED, CertId, CertStatus, OcspRequest, ResponseStatus, ocsp_request, ocsp_response
from ca_core.x509.ocsp_answer import OcspAnswer

pytestmark = pytest.mark.xdist_group("conformance")

SIGNING = [kind for kind in KeyAlgorithm if kind is not KeyAlgorithm.RSA_2048]
"""Keys that an authority may have."""


@pytest.fixture(scope="module")
def certificates(conformance: Any) -> Mapping[str, bytes]:
    """One of every profile in its fullest form, and authorities of every kind of key."""
    chain = conformance.chain("private", KeyAlgorithm.EC_P256, SignatureAlgorithm.ECDSA_SHA256)
    found = {}
    for profile in conformance.profiles:
        issuer = {"root-ca": None, "issuing-ca": chain.root}.get(profile.name, chain.issuing)
        for kind in profile.algorithms:
            found[f"{profile.key} {kind}"] = conformance.certificate(profile, kind, issuer).der
    for kind in SIGNING:
        made = conformance.chain("private", kind, DEFAULT_SIGNATURE[kind])
        found |= {f"issuing {kind}": made.issuing.certificate.der, f"responder {kind}": made.responder.certificate.der}
    return found


@pytest.fixture(scope="module")
def lists(conformance: Any) -> Mapping[str, bytes]:
    """Full, partitioned and delta lists, empty and not, by every kind of key."""
    found = {}
    for kind in SIGNING:
        issuer = conformance.chain("private", kind, DEFAULT_SIGNATURE[kind]).issuing
        found |= {
            f"empty {kind}": conformance.crl(issuer, entries=0),
            f"full {kind}": conformance.crl(issuer, entries=300),
            f"partition {kind}": conformance.crl(issuer, entries=20, point="http://ca.example.com/crl/1/2.crl"),
            f"delta {kind}": conformance.crl(issuer, entries=20, delta_base=3),
        }
    return found


@pytest.fixture(scope="module")
def answers(conformance: Any) -> Mapping[str, bytes]:
    """Answers of every status, by every kind of key."""
    found = {
        f"refusal {one.name}": ocsp_response(one) for one in ResponseStatus if one is not ResponseStatus.SUCCESSFUL
    }
    for kind in SIGNING:
        chain = conformance.chain("private", kind, DEFAULT_SIGNATURE[kind])
        found |= {
            f"good {kind}": conformance.ocsp(chain, CertStatus.GOOD, nonce=bytes(range(128))),
            f"never issued {kind}": conformance.ocsp(chain, NEVER_ISSUED, digest="sha1"),
            f"several {kind}": conformance.ocsp(chain, CertStatus.GOOD, CertStatus.UNKNOWN, digest="sha384"),
        }
    return found


def through_asn1crypto(kind: Any) -> Callable[[bytes], bytes]:
    def again(der: bytes) -> bytes:
        read = kind.load(der, strict=True)
        assert read.native
        return bytes(read.dump(force=True))

    return again


def through_pyasn1(kind: Callable[[], Any]) -> Callable[[bytes], bytes]:
    def again(der: bytes) -> bytes:
        read, rest = decoder.decode(der, asn1Spec=kind())
        assert rest == b""
        return bytes(encoder.encode(read))

    return again


def through_cryptography_certificate(der: bytes) -> bytes:
    read = x509.load_der_x509_certificate(der)
    # It reads names and extensions when they are asked for.
    assert len(read.extensions) == len(SignedCertificate.parse(der).extensions)
    assert read.subject.public_bytes() == SignedCertificate.parse(der).subject
    assert read.serial_number == SignedCertificate.parse(der).serial.value
    return read.public_bytes(Encoding.DER)


def through_cryptography_crl(der: bytes) -> bytes:
    read = x509.load_der_x509_crl(der)
    assert len(read.extensions) == len(CertificateList.parse(der).extensions)
    assert [entry.serial_number for entry in read] == [one.serial for one in CertificateList.parse(der).entries()]
    assert all(entry.extensions is not None for entry in read)
    return read.public_bytes(Encoding.DER)


def through_cryptography_ocsp(der: bytes) -> bytes:
    return ocsp.load_der_ocsp_response(der).public_bytes(Encoding.DER)


def ours(read: Callable[[bytes], object]) -> Callable[[bytes], bytes]:
    def again(der: bytes) -> bytes:
        read(der)
        return der

    return again


CERTIFICATE_READERS = {
    "cryptography": through_cryptography_certificate,
    "asn1crypto": through_asn1crypto(asn1crypto_x509.Certificate),
    "pyasn1": through_pyasn1(rfc5280.Certificate),
    "our own": ours(SignedCertificate.parse),
}
CRL_READERS = {
    "cryptography": through_cryptography_crl,
    "asn1crypto": through_asn1crypto(asn1crypto_crl.CertificateList),
    "pyasn1": through_pyasn1(rfc5280.CertificateList),
    "our own": ours(lambda der: list(CertificateList.parse(der).entries())),
}
OCSP_READERS = {
    "cryptography": through_cryptography_ocsp,
    "asn1crypto": through_asn1crypto(asn1crypto_ocsp.OCSPResponse),
    "pyasn1": through_pyasn1(rfc6960.OCSPResponse),
    "our own": ours(OcspAnswer.parse),
}


def differing(encoded: Mapping[str, bytes], again: Callable[[bytes], bytes]) -> list[str]:
    assert encoded
    return [name for name, der in encoded.items() if again(der) != der]


def known_to(reader: str, encoded: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """asn1crypto cannot read the certificate of an ML-DSA key, nor an answer with one in it."""
    return {name: der for name, der in encoded.items() if reader != "asn1crypto" or "ml-dsa" not in name}


@pytest.mark.parametrize("reader", CERTIFICATE_READERS)
def test_certificates_come_back_byte_for_byte(certificates: Mapping[str, bytes], reader: str) -> None:
    assert differing(known_to(reader, certificates), CERTIFICATE_READERS[reader]) == []


@pytest.mark.parametrize("reader", CRL_READERS)
def test_lists_come_back_byte_for_byte(lists: Mapping[str, bytes], reader: str) -> None:
    assert differing(lists, CRL_READERS[reader]) == []


@pytest.mark.parametrize("reader", OCSP_READERS)
def test_answers_come_back_byte_for_byte(answers: Mapping[str, bytes], reader: str) -> None:
    assert differing(known_to(reader, answers), OCSP_READERS[reader]) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the package openssl")
@pytest.mark.parametrize(
    ("made", "command"),
    [
        ("certificates", ["x509", "-inform", "DER", "-outform", "DER", "-in", "in", "-out", "out"]),
        ("lists", ["crl", "-inform", "DER", "-outform", "DER", "-in", "in", "-out", "out"]),
        ("answers", ["ocsp", "-noverify", "-respin", "in", "-respout", "out"]),
    ],
    ids=["certificates", "lists", "answers"],
)
def test_openssl_writes_the_same_bytes_again(
    request: pytest.FixtureRequest, tmp_path: Path, made: str, command: list[str]
) -> None:
    def again(der: bytes) -> bytes:
        (tmp_path / "in").write_bytes(der)
        done = subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0 or made == "answers", done.stderr
        return (tmp_path / "out").read_bytes()

    assert differing(request.getfixturevalue(made), again) == []


def test_the_readers_notice_a_changed_byte(certificates: Mapping[str, bytes]) -> None:
    der = bytearray(next(iter(certificates.values())))
    # BOOLEAN TRUE as BER may write it.
    at = der.index(b"\x01\x01\xff")
    der[at + 2] = 0x01
    assert differing({"ber": bytes(der)}, through_pyasn1(rfc5280.Certificate)) == ["ber"]


def test_a_request_of_ours_is_read_by_others(conformance: Any) -> None:
    issuing = conformance.chain("private", KeyAlgorithm.EC_P256, SignatureAlgorithm.ECDSA_SHA256).issuing.certificate
    asked = [
        CertId.make(
            issuer=issuing.subject, issuer_public_key_info=issuing.public_key_info, serial=serial, digest=digest
        )
        for serial, digest in ((1, "sha1"), (Serial(1 << 158).value, "sha256"))
    ]
    encoded = ocsp_request(asked, nonce=bytes(32))
    assert through_asn1crypto(asn1crypto_ocsp.OCSPRequest)(encoded) == encoded
    assert through_pyasn1(rfc6960.OCSPRequest)(encoded) == encoded
    assert ocsp.load_der_ocsp_request(ocsp_request(asked[:1])).serial_number == 1
    assert OcspRequest.parse(encoded).cert_ids == tuple(asked)
