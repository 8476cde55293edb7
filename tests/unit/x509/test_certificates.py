"""Certificates, lists and OCSP messages: written forms, and refusals of what is not exactly one."""

# One case a line, however long: the tables are read by rows.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from hypothesis import given, settings, strategies as st

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der
from ca_core.x509.certificate import MAX_SIZE, SignedCertificate, assemble, to_be_signed
from ca_core.x509.crl import CertificateList, to_be_signed_list
from ca_core.x509.crl_entries import REASONS, RevokedEntry, encode_entries
from ca_core.x509.extension import Extension
from ca_core.x509.ocsp import (
    MAX_CERT_IDS,
    CertId,
    CertStatus,
    OcspRequest,
    ResponseStatus,
    Revoked,
    ocsp_request,
    ocsp_response,
    response_data,
    single_response,
)
from ca_core.x509.ocsp_answer import OcspAnswer, ResponseData
from ca_core.x509.pem import from_pem, to_pem

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.2"))
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Проба")])
NAME_DER = NAME.public_bytes()
SAN = Extension("2.5.29.17", False, der.sequence(der.tlv(0x82, b"a.example")))
PARTS = {
    "version": b"\xa0\x03\x02\x01\x02",
    "serial": der.integer(5),
    "algorithm": ECDSA,
    "issuer": NAME_DER,
    "validity": der.sequence(der.time(START), der.time(START + timedelta(days=1))),
    "subject": NAME_DER,
    "key": SPKI,
    "extensions": der.explicit(3, der.sequence(SAN.der)),
    "outer": ECDSA,
    "signature": der.bit_string(b"x"),
    "after": b"",
}


def certificate(**changes: bytes) -> bytes:
    parts = {**PARTS, **changes}
    inner = ("version", "serial", "algorithm", "issuer", "validity", "subject", "key", "extensions")
    return der.sequence(
        der.sequence(*(parts[one] for one in inner)), parts["outer"], parts["signature"], parts["after"]
    )


def ext(*extensions: bytes) -> dict[str, bytes]:
    return {"extensions": der.explicit(3, der.sequence(*extensions))}


def test_a_certificate_is_written_as_cryptography_writes_it() -> None:
    made = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 4711, START, START.replace(year=2060))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=False)
    expected = made.sign(KEY, hashes.SHA256())
    tbs = to_be_signed(
        serial=Serial(4711),
        signature_algorithm=ECDSA,
        issuer=NAME_DER,
        not_before=START,
        not_after=START.replace(year=2060),
        subject=NAME_DER,
        public_key_info=SPKI,
        extensions=[SAN],
    )
    assert tbs == expected.tbs_certificate_bytes
    assert assemble(tbs, ECDSA, expected.signature) == expected.public_bytes(Encoding.DER)


def test_a_certificate_says_what_its_bytes_say() -> None:
    read = SignedCertificate.parse(to_pem(certificate()).encode())
    assert read == SignedCertificate.parse(certificate())
    assert read.der == certificate()
    assert (read.serial, read.not_before, read.not_after) == (Serial(5), START, START + timedelta(days=1))
    assert read.san == (("dns", "a.example"),)
    assert not read.is_ca
    assert read.key_usage is None
    assert read.extension("2.5.29.17") == SAN
    assert read.extension("2.5.29.15") is None
    assert from_pem(read.pem.encode(), "CERTIFICATE") == read.der


NO_CERTIFICATES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "two": lambda: certificate() * 2,
    "two-pem-blocks": lambda: to_pem(certificate()).encode() * 2,
    "trailing-octet": lambda: certificate() + b"\x00",
    "fourth-member": lambda: certificate(after=der.NULL),
    "too-large": lambda: certificate(signature=der.bit_string(bytes(MAX_SIZE))),
    "version-1": lambda: certificate(version=b"", extensions=b""),
    "version-2": lambda: certificate(version=b"\xa0\x03\x02\x01\x01"),
    "version-4": lambda: certificate(version=b"\xa0\x03\x02\x01\x03"),
    "two-algorithms": lambda: certificate(outer=der.sequence(der.oid("1.2.840.10045.4.3.3"))),
    "two-forms-of-one-algorithm": lambda: certificate(outer=der.sequence(der.oid("1.2.840.10045.4.3.2"), der.NULL)),
    "serial-zero": lambda: certificate(serial=der.integer(0)),
    "serial-negative": lambda: certificate(serial=der.integer(-1)),
    "serial-of-21-octets": lambda: certificate(serial=der.integer(1 << 159)),
    "serial-as-text": lambda: certificate(serial=der.utf8_string("5")),
    "time-with-offset": lambda: certificate(validity=der.sequence(der.tlv(0x17, b"260101000000+0300"), der.time(START))),
    "one-time": lambda: certificate(validity=der.sequence(der.time(START))),
    "time-as-text": lambda: certificate(validity=der.sequence(der.utf8_string("x"), der.time(START))),
    "name-of-numbers": lambda: certificate(subject=der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.integer(1))))),
    "extension-twice": lambda: certificate(**ext(SAN.der, SAN.der)),
    "no-extension": lambda: certificate(**ext()),
    "critical-false": lambda: certificate(**ext(der.sequence(der.oid("1.2.3"), der.boolean(False), der.octet_string(b"")))),
    "extensions-twice": lambda: certificate(extensions=PARTS["extensions"] * 2),
    "extensions-before-identifier": lambda: certificate(extensions=PARTS["extensions"] + der.tlv(0x82, b"\x00x")),
    "garbage-alternative-names": lambda: certificate(**ext(Extension("2.5.29.17", False, b"\xff").der)),
    "garbage-key-usage": lambda: certificate(**ext(Extension("2.5.29.15", True, der.integer(3)).der)),
    "garbage-constraints": lambda: certificate(**ext(Extension("2.5.29.19", True, der.sequence(der.utf8_string("x"))).der)),
    "constraints-ca-false": lambda: certificate(**ext(Extension("2.5.29.19", True, der.sequence(der.boolean(False))).der)),
    "purposes-none": lambda: certificate(**ext(Extension("2.5.29.37", False, der.sequence()).der)),
    "signature-of-bits": lambda: certificate(signature=der.bit_string(b"\x80", unused=7)),
}  # fmt: skip


@pytest.mark.parametrize("make", NO_CERTIFICATES.values(), ids=NO_CERTIFICATES.keys())
def test_what_is_not_exactly_one_certificate_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedDer):
        SignedCertificate.parse(make())


# Lists (RFC 5280 §5).


def entry(serial: int, at: datetime, reason: int | None, invalidity: datetime | None) -> bytes:
    suspect = None if invalidity is None else int(invalidity.timestamp())
    return encode_entries([(Serial(serial).hex, int(at.timestamp()), reason, suspect)])


def tbs_list(**changes: object) -> bytes:
    parts = {
        "signature_algorithm": ECDSA,
        "issuer": NAME_DER,
        "this_update": START,
        "next_update": START + timedelta(days=7),
        "entries": [entry(3, START, 1, START)],
        "number": 7,
        "authority_key_identifier": bytes(20),
    }
    return to_be_signed_list(**{**parts, **changes})  # type: ignore[arg-type]


def test_a_list_is_written_as_cryptography_writes_it() -> None:
    builder = x509.CertificateRevocationListBuilder(NAME, START, START + timedelta(days=7))
    builder = builder.add_extension(x509.AuthorityKeyIdentifier(bytes(20), None, None), critical=False)
    builder = builder.add_extension(x509.CRLNumber(7), critical=False)
    entry = x509.RevokedCertificateBuilder(3, START)
    entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    entry = entry.add_extension(x509.InvalidityDate(START), critical=False)
    expected = builder.add_revoked_certificate(entry.build()).sign(KEY, hashes.SHA256())
    assert tbs_list() == expected.tbs_certlist_bytes


REASON_CODES = st.sampled_from([None, *sorted(REASONS)])
MOMENTS = st.integers(0, 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.lists(st.tuples(st.integers(1, (1 << 159) - 1), MOMENTS, REASON_CODES, st.none() | MOMENTS), max_size=20))
@settings(deadline=None)
def test_entries_come_back(entries: list[tuple[int, datetime, int | None, datetime | None]]) -> None:
    written = [entry(*one) for one in entries]
    read = CertificateList.parse(assemble(tbs_list(entries=written), ECDSA, b"x"))
    # Unspecified is left out (RFC 5280 §5.3.1).
    expected = [RevokedEntry(serial, at, reason or None, invalid) for serial, at, reason, invalid in entries]
    assert list(read.entries()) == expected
    for one in expected:
        found = read.find(Serial(one.serial))
        assert found is not None
        assert found.serial == one.serial
    assert read.find(Serial((1 << 158) + 12345)) is None


@pytest.mark.parametrize("reason", [-1, 7, 11, 255])
def test_a_reason_that_does_not_exist_is_not_written(reason: int) -> None:
    with pytest.raises(InvalidInput, match="no revocation reason"):
        entry(1, START, reason, None)


NUMBERS = {"negative": {"number": -1}, "too-long": {"number": 1 << 159}, "base-not-earlier": {"number": 7, "delta_base": 7}, "base-negative": {"delta_base": -1}}  # fmt: skip


@pytest.mark.parametrize("parts", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_that_no_list_may_have_is_not_written(parts: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        tbs_list(**parts)


def test_a_partition_and_a_delta_say_so() -> None:
    read = CertificateList.unsigned(tbs_list(distribution_point_url="http://ca.example/1", delta_base=3))
    assert (read.distribution_point_urls, read.delta_base, read.number) == (("http://ca.example/1",), 3, 7)
    assert {one.oid for one in read.extensions if one.critical} == {"2.5.29.27", "2.5.29.28"}


def bare_list(*parts: bytes) -> bytes:
    return assemble(der.sequence(*parts), ECDSA, b"x")


TIMES = (der.time(START), der.time(START + timedelta(days=1)))
LIST_EXTENSIONS = der.explicit(0, der.sequence(Extension("2.5.29.20", False, der.integer(1)).der))
NO_LISTS = {
    "nothing": b"",
    "two": assemble(tbs_list(), ECDSA, b"x") * 2,
    "version-1": bare_list(ECDSA, NAME_DER, *TIMES),
    "version-3": bare_list(der.integer(2), ECDSA, NAME_DER, *TIMES, LIST_EXTENSIONS),
    "without-next-update": bare_list(der.integer(1), ECDSA, NAME_DER, TIMES[0], LIST_EXTENSIONS),
    "without-extensions": bare_list(der.integer(1), ECDSA, NAME_DER, *TIMES),
    "two-algorithms": assemble(tbs_list(), der.sequence(der.oid("1.2.840.10045.4.3.3")), b"x"),
    "extension-twice": bare_list(der.integer(1), ECDSA, NAME_DER, *TIMES, der.explicit(0, der.sequence(*[Extension("2.5.29.20", False, der.integer(1)).der] * 2))),
    "number-negative": bare_list(der.integer(1), ECDSA, NAME_DER, *TIMES, der.explicit(0, der.sequence(Extension("2.5.29.20", False, der.integer(-1)).der))),
    "entries-twice": bare_list(der.integer(1), ECDSA, NAME_DER, *TIMES, der.sequence(der.NULL), der.sequence(der.NULL), LIST_EXTENSIONS),
    "cut": assemble(tbs_list(), ECDSA, b"x")[:-1],
}  # fmt: skip


@pytest.mark.parametrize("encoded", NO_LISTS.values(), ids=NO_LISTS.keys())
def test_what_is_not_exactly_one_list_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        CertificateList.parse(encoded)


# OCSP (RFC 6960).

CERT_ID = CertId.make(issuer=NAME_DER, issuer_public_key_info=SPKI, serial=4711)


@pytest.mark.parametrize(
    ("digest", "other"),
    [("sha1", hashes.SHA1()), ("sha256", hashes.SHA256()), ("sha384", hashes.SHA384()), ("sha512", hashes.SHA512())],
    ids=["sha1", "sha256", "sha384", "sha512"],
)
def test_a_question_is_written_and_read_as_cryptography_does(digest: str, other: hashes.HashAlgorithm) -> None:
    issuer = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, START, START + timedelta(days=1)).sign(
        KEY, hashes.SHA256()
    )
    leaf = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 4711, START, START + timedelta(days=1)).sign(
        KEY, hashes.SHA256()
    )
    builder = (
        ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, other).add_extension(x509.OCSPNonce(b"n" * 32), False)
    )
    expected = builder.build().public_bytes(Encoding.DER)
    asked = CertId.make(issuer=NAME_DER, issuer_public_key_info=SPKI, serial=4711, digest=digest)
    assert ocsp_request([asked], nonce=b"n" * 32) == expected
    read = OcspRequest.parse(expected)
    assert read.cert_ids == (asked,)
    assert read.nonce == b"n" * 32


def question(
    *, requests: bytes | None = None, extensions: bytes = b"", before: bytes = b"", after: bytes = b""
) -> bytes:
    listed = der.sequence(der.sequence(CERT_ID.der)) if requests is None else requests
    return der.sequence(der.sequence(before, listed, extensions), after)


def asked_with(extension: Extension) -> bytes:
    return question(extensions=der.explicit(2, der.sequence(extension.der)))


NONCE = "1.3.6.1.5.5.7.48.1.2"
READ_QUESTIONS = {
    "plain": question(),
    "requestor": question(before=der.explicit(1, der.explicit(4, NAME_DER))),
    "signature-not-looked-at": question(after=der.explicit(0, der.sequence(ECDSA, der.bit_string(b"x")))),
    "unknown-extension": asked_with(Extension("1.2.3", False, der.NULL)),
}
NO_QUESTIONS = {
    "nothing": b"",
    "trailing-octet": question() + b"\x00",
    "no-request": question(requests=der.sequence()),
    "33-requests": question(requests=der.sequence(*[der.sequence(CERT_ID.der)] * (MAX_CERT_IDS + 1))),
    "too-large": asked_with(Extension("1.2.3", False, der.octet_string(bytes(9000)))),
    "critical-extension": asked_with(Extension("1.2.3", True, der.NULL)),
    "nonce-empty": asked_with(Extension(NONCE, False, der.octet_string(b""))),
    "nonce-of-129": asked_with(Extension(NONCE, False, der.octet_string(bytes(129)))),
    "nonce-not-wrapped": asked_with(Extension(NONCE, False, b"12345")),
    "version-2": question(before=der.explicit(0, der.integer(1))),
    "signature-of-another-tag": question(after=der.explicit(1, der.NULL)),
    "critical-in-request": question(requests=der.sequence(der.sequence(CERT_ID.der, der.explicit(0, der.sequence(Extension("1.2.3", True, der.NULL).der))))),
    "cert-id-of-3": question(requests=der.sequence(der.sequence(der.sequence(der.sequence(der.oid("1.3.14.3.2.26")), der.octet_string(b""), der.integer(1))))),
}  # fmt: skip


@pytest.mark.parametrize("encoded", READ_QUESTIONS.values(), ids=READ_QUESTIONS.keys())
def test_a_question_in_another_form_is_read(encoded: bytes) -> None:
    assert OcspRequest.parse(encoded).cert_ids == (CERT_ID,)


@pytest.mark.parametrize("encoded", NO_QUESTIONS.values(), ids=NO_QUESTIONS.keys())
def test_what_is_not_exactly_one_question_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        OcspRequest.parse(encoded)


STATUSES = [CertStatus.GOOD, CertStatus.UNKNOWN, Revoked(START, 1), Revoked(START)]


@pytest.mark.parametrize("status", STATUSES, ids=["good", "unknown", "revoked-for-reason", "revoked"])
def test_an_answer_comes_back(status: CertStatus | Revoked) -> None:
    single = single_response(CERT_ID, status=status, this_update=START, next_update=START + timedelta(hours=1))
    read = ResponseData.parse(
        response_data(responder_key_hash=bytes(20), produced_at=START, responses=[single], nonce=b"n")
    )
    (answer,) = read.answers
    assert (answer.cert_id, answer.status, answer.next_update) == (CERT_ID, status, START + timedelta(hours=1))
    assert (read.nonce, read.produced_at, read.responder_key_hash) == (b"n", START, bytes(20))


def test_an_answer_has_a_body_exactly_when_it_is_successful() -> None:
    for status in ResponseStatus:
        with pytest.raises(InvalidInput):
            ocsp_response(status, None if status is ResponseStatus.SUCCESSFUL else b"")
        if status is not ResponseStatus.SUCCESSFUL:
            assert OcspAnswer.parse(ocsp_response(status)) == OcspAnswer(status=status)


NO_ANSWERS = {
    "status-4": der.sequence(der.enumerated(4)),
    "status-7": der.sequence(der.enumerated(7)),
    "success-without-body": der.sequence(der.enumerated(0)),
    "refusal-with-body": der.sequence(der.enumerated(1), der.explicit(0, der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octet_string(der.NULL)))),
    "not-basic": der.sequence(der.enumerated(0), der.explicit(0, der.sequence(der.oid("1.2.3"), der.octet_string(der.NULL)))),
}  # fmt: skip


@pytest.mark.parametrize("encoded", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_answer_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDer):
        OcspAnswer.parse(encoded)


def test_a_digest_that_is_not_known_makes_no_cert_id() -> None:
    with pytest.raises(InvalidInput, match="no digest 'md5'"):
        CertId.make(issuer=NAME_DER, issuer_public_key_info=SPKI, serial=1, digest="md5")
