"""Whatever bytes come in, nothing but the authority's own errors comes out."""

# One parser a line, however long: the table is read by rows.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings, strategies as st

from ca_core.domain.errors import CaError
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der, extension_values
from ca_core.x509.algorithm import key_algorithm_of, signature_algorithm_of
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.crl import CertificateList, to_be_signed_list
from ca_core.x509.crl_entries import encode_entries, entry_batches
from ca_core.x509.der_reader import Element, decode
from ca_core.x509.extension import Extension
from ca_core.x509.general_name import decode_general_names
from ca_core.x509.name import Name
from ca_core.x509.ocsp import (
    CertId,
    CertStatus,
    OcspRequest,
    ResponseStatus,
    basic_response,
    ocsp_request,
    ocsp_response,
    response_data,
    single_response,
)
from ca_core.x509.ocsp_answer import OcspAnswer, ResponseData
from ca_core.x509.pem import public_key_info, to_pem
from ca_core.x509.request import CertificationRequest
from ca_core.x509.signature import verify_signature

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
NAME = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"), x509.NameAttribute(NameOID.COMMON_NAME, "Проба")])
EXTENSIONS: list[tuple[x509.ExtensionType, bool]] = [
    (x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("a@b.example"), x509.DirectoryName(NAME)]), False),
    (x509.BasicConstraints(ca=True, path_length=3), True),
    (x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]), False),
    (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False),
    (x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False),
    (x509.KeyUsage(True, True, False, False, False, True, True, False, False), True),
]  # fmt: skip


def certificate() -> bytes:
    builder = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 4711, MOMENT, MOMENT.replace(year=2060))
    for extension, critical in EXTENSIONS:
        builder = builder.add_extension(extension, critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def request() -> bytes:
    builder = x509.CertificateSigningRequestBuilder(NAME)
    for extension, critical in EXTENSIONS[:2]:
        builder = builder.add_extension(extension, critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


CERTIFICATE, REQUEST = certificate(), request()
CERT_ID = CertId.make(issuer=NAME.public_bytes(), issuer_public_key_info=SPKI, serial=4711, digest="sha256")
SECONDS = int(MOMENT.timestamp())
LIST = to_be_signed_list(
    signature_algorithm=der.sequence(der.oid("1.2.840.10045.4.3.2")),
    issuer=NAME.public_bytes(),
    this_update=MOMENT,
    next_update=MOMENT.replace(month=2),
    entries=[encode_entries((f"{n + 1:02x}", SECONDS, n, SECONDS if n == 1 else None) for n in (0, 1, 6))],
    number=3,
    authority_key_identifier=bytes(20),
    distribution_point_url="http://ca.example/1",
    delta_base=1,
)
DATA = response_data(
    responder_key_hash=bytes(20),
    produced_at=MOMENT,
    responses=[single_response(CERT_ID, status=CertStatus.GOOD, this_update=MOMENT, next_update=MOMENT)],
    nonce=b"nonce",
    extended_revoke=True,
)


def read_request(data: bytes) -> None:
    request = CertificationRequest.parse(data)
    str(request.name)
    request.prove_possession()


def read_certificate(data: bytes) -> None:
    read = SignedCertificate.parse(data)
    assert read.tbs in read.der
    read.extension("2.5.29.17")
    verify_signature(read.public_key_info, read.signature_algorithm, read.tbs, read.signature)


def read_list(data: bytes) -> None:
    read = CertificateList.unsigned(data)
    read.find(Serial(1))
    list(read.entries())
    list(entry_batches(read.revoked))


def read_values(data: bytes) -> None:
    for read in (
        extension_values.subject_key_identifier,
        extension_values.authority_key_identifier,
        extension_values.key_usage,
        extension_values.basic_constraints,
        extension_values.extended_key_usage,
        extension_values.certificate_policies,
        extension_values.crl_distribution_points,
        extension_values.authority_information_access,
        extension_values.crl_integer,
    ):
        try:
            read(data)
        except CaError:
            continue


PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "certification-request": (read_request, REQUEST),
    "certification-request-pem": (read_request, to_pem(REQUEST, "CERTIFICATE REQUEST").encode()),
    "certificate": (read_certificate, CERTIFICATE),
    "certificate-pem": (read_certificate, to_pem(CERTIFICATE).encode()),
    "crl": (read_list, LIST),
    "signed-crl": (lambda data: list(CertificateList.parse(data).entries()), der.sequence(LIST, der.sequence(der.oid("1.2.840.10045.4.3.2")), der.bit_string(b"x"))),
    "ocsp-request": (OcspRequest.parse, ocsp_request([CERT_ID, CERT_ID], nonce=b"nonce")),
    "ocsp-response-data": (ResponseData.parse, DATA),
    "ocsp-refusal": (OcspAnswer.parse, bytes.fromhex("30030a0106")),
    "ocsp-answer": (OcspAnswer.parse, ocsp_response(ResponseStatus.SUCCESSFUL, basic_response(DATA, signature_algorithm=der.sequence(der.oid("1.2.840.10045.4.3.2")), signature=b"x", certificates=[CERTIFICATE]))),
    "public-key": (public_key_info, SPKI),
    "public-key-pem": (public_key_info, to_pem(SPKI, "PUBLIC KEY").encode()),
    "edwards-key": (key_algorithm_of, ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "signature-algorithm": (signature_algorithm_of, der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)),
    "name": (lambda data: str(Name.parse(data)), NAME.public_bytes()),
    "general-names": (decode_general_names, EXTENSIONS[0][0].public_bytes()),
    "extension-values": (read_values, x509.load_der_x509_certificate(CERTIFICATE).extensions[0].value.public_bytes()),
    "extension": (lambda data: Extension.of(decode(data)), Extension("1.2.3", True, der.NULL).der),
}  # fmt: skip
FUZZ = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def survives(parse: Callable[[bytes], object], data: bytes) -> None:
    said = "read"
    try:
        parse(data)
    except CaError as error:
        said = error.detail
    assert said.isprintable()
    assert said


@pytest.mark.parametrize(("parse", "good"), PARSERS.values(), ids=PARSERS.keys())
def test_what_is_changed_below_is_good(parse: Callable[[bytes], object], good: bytes) -> None:
    parse(good)


@pytest.mark.parametrize(("parse", "good"), PARSERS.values(), ids=PARSERS.keys())
@given(data=st.binary(max_size=400))
@FUZZ
def test_random_octets(parse: Callable[[bytes], object], good: bytes, data: bytes) -> None:
    survives(parse, data)


@pytest.mark.parametrize(("parse", "good"), PARSERS.values(), ids=PARSERS.keys())
@given(data=st.data())
@FUZZ
def test_changed_octets(parse: Callable[[bytes], object], good: bytes, data: st.DataObject) -> None:
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    survives(parse, bytes(changed))


@pytest.mark.parametrize(("parse", "good"), PARSERS.values(), ids=PARSERS.keys())
def test_every_cut(parse: Callable[[bytes], object], good: bytes) -> None:
    for size in range(0, len(good), max(1, len(good) // 200)):
        survives(parse, good[:size])
        survives(parse, good[size:])


def changed_tree(element: Element, at: list[int], change: Callable[[Element], bytes]) -> bytes:
    """The structure with its n-th element changed and every length right: what a careful attacker sends."""
    at[0] -= 1
    if at[0] == -1:
        return change(element)
    if not element.members:
        return element.raw
    return der.tlv(element.tag, b"".join(changed_tree(member, at, change) for member in element.members))


def count(element: Element) -> int:
    return 1 + sum(map(count, element.members))


CHANGES: dict[str, Callable[[Element], bytes]] = {
    "gone": lambda element: b"",
    "twice": lambda element: element.raw * 2,
    "empty": lambda element: bytes((element.tag, 0)),
    "null": lambda element: der.NULL,
    "integer": lambda element: der.integer(-1),
    "huge-integer": lambda element: der.integer(1 << 4000),
    "boolean": lambda element: der.boolean(True),
    "other-string": lambda element: der.tlv(0x1E, b"\xd8\x00"),
    "bad-utf8": lambda element: der.tlv(0x0C, b"\xff"),
    "terminal-escape": lambda element: der.utf8_string("\x1b[2J\u202e\x00"),
    "oid": lambda element: der.oid("2.999.1"),
    "set": lambda element: der.set_of(),
    "wrapped": lambda element: der.sequence(element.raw),
    "context": lambda element: der.explicit(5, der.NULL),
    "early": lambda element: b"\x18\x0f00010101000000Z",
}
STRUCTURES = {name: case for name, case in PARSERS.items() if case[1][:1] == b"\x30"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize(("parse", "good"), STRUCTURES.values(), ids=STRUCTURES.keys())
def test_every_part_changed_with_every_length_right(
    parse: Callable[[bytes], object], good: bytes, change: Callable[[Element], bytes]
) -> None:
    tree = decode(good)
    for at in range(count(tree)):
        survives(parse, changed_tree(tree, [at], change))
