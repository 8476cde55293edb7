"""Time-stamp messages: read strictly, each refusal with its PKIFailureInfo; written so that others read them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms, tsp
from hypothesis import given, strategies as st

from ca_core.domain.errors import CaError, InvalidInput, MalformedDer, TimestampRefused
from ca_core.domain.identifiers import Serial
from ca_core.domain.pki_failure import PkiFailure
from ca_core.x509 import der
from ca_core.x509.signed_data import SignedAttributes, SignedMessage
from ca_core.x509.timestamp import (
    DIGESTS,
    MessageImprint,
    TimestampRequest,
    TimestampResponse,
    granted,
    rejection,
)
from ca_core.x509.tst_info import TstInfo

SHA256 = "2.16.840.1.101.3.4.2.1"
VERSION = der.integer(1)
POLICY, NONCE, CERT_REQ = der.oid("1.2.3.4"), der.integer(7), der.boolean(True)
EXTENSION = der.tlv(0xA0, der.sequence(der.oid("1.2.3.5"), der.octet_string(b"")))


def imprint(oid: str = SHA256, size: int = 32, *parameters: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(oid), *parameters), der.octet_string(bytes(size)))


def request(*fields: bytes) -> bytes:
    return der.sequence(VERSION, imprint(), *fields)


@pytest.mark.parametrize("fields", [(), (POLICY,), (NONCE,), (CERT_REQ,), (POLICY, NONCE), (POLICY, NONCE, CERT_REQ)])
def test_a_request_is_read_and_written_alike(fields: tuple[bytes, ...]) -> None:
    asked = TimestampRequest.parse(request(*fields))
    assert asked.der == request(*fields)
    assert (asked.policy, asked.nonce, asked.certificates) == (
        "1.2.3.4" if POLICY in fields else None,
        7 if NONCE in fields else None,
        CERT_REQ in fields,
    )


@pytest.mark.parametrize(("oid", "name"), DIGESTS.items())
def test_each_accepted_digest_is_read_with_and_without_parameters(oid: str, name: str) -> None:
    size = hashlib.new(name).digest_size
    for parameters in ((), (der.NULL,)):
        asked = TimestampRequest.parse(der.sequence(VERSION, imprint(oid, size, *parameters)))
        assert (asked.imprint.algorithm, len(asked.imprint.digest)) == (name, size)
        assert asked.imprint.der == imprint(oid, size, *parameters)


REFUSALS = {
    "sha-1": (der.sequence(VERSION, imprint("1.3.14.3.2.26", 20)), PkiFailure.BAD_ALG),
    "md5": (der.sequence(VERSION, imprint("1.2.840.113549.2.5", 16)), PkiFailure.BAD_ALG),
    "sha-224": (der.sequence(VERSION, imprint("2.16.840.1.101.3.4.2.4", 28)), PkiFailure.BAD_ALG),
    "digest-with-parameters": (der.sequence(VERSION, imprint(SHA256, 32, der.integer(1))), PkiFailure.BAD_ALG),
    "imprint-too-short": (der.sequence(VERSION, imprint(SHA256, 31)), PkiFailure.BAD_DATA_FORMAT),
    "imprint-too-long": (der.sequence(VERSION, imprint(SHA256, 33)), PkiFailure.BAD_DATA_FORMAT),
    "version-2": (der.sequence(der.integer(2), imprint()), PkiFailure.BAD_REQUEST),
    "huge-nonce": (request(der.integer(1 << 520)), PkiFailure.BAD_REQUEST),
    "extension": (request(EXTENSION), PkiFailure.UNACCEPTED_EXTENSION),
    "extension-behind-all": (request(POLICY, NONCE, CERT_REQ, EXTENSION), PkiFailure.UNACCEPTED_EXTENSION),
    "no-extension-in-extensions": (request(der.tlv(0xA0, b"")), PkiFailure.BAD_DATA_FORMAT),
    "fields-out-of-order": (request(NONCE, POLICY), PkiFailure.BAD_DATA_FORMAT),
    "field-twice": (request(NONCE, NONCE), PkiFailure.BAD_DATA_FORMAT),
    "unknown-field": (request(der.octet_string(b"")), PkiFailure.BAD_DATA_FORMAT),
    "cert-req-false": (request(der.boolean(False)), PkiFailure.BAD_DATA_FORMAT),
    "nothing": (b"", PkiFailure.BAD_DATA_FORMAT),
    "trailing": (request() + b"\0", PkiFailure.BAD_DATA_FORMAT),
    "no-imprint": (der.sequence(VERSION), PkiFailure.BAD_DATA_FORMAT),
    "indefinite-length": (b"\x30\x80" + VERSION + imprint() + b"\0\0", PkiFailure.BAD_DATA_FORMAT),
    "too-large": (request(der.tlv(0x04, bytes(9000))), PkiFailure.BAD_DATA_FORMAT),
}


@pytest.mark.parametrize(("encoded", "failure"), REFUSALS.values(), ids=REFUSALS.keys())
def test_each_faulty_request_is_refused_with_its_failure(encoded: bytes, failure: PkiFailure) -> None:
    with pytest.raises(TimestampRefused) as caught:
        TimestampRequest.parse(encoded)
    assert caught.value.failure is failure
    (status,) = der.decode(rejection(caught.value)).members
    info = tsp.PKIStatusInfo.load(status.raw)
    assert info["status"].native == "rejection"
    assert info["fail_info"].native == {tsp.PKIFailureInfo._map[failure.value]}
    read = TimestampResponse.parse(rejection(caught.value))
    assert (read.status, read.failures, read.token, read.text) == (2, {failure}, None, caught.value.detail)


def test_failures_have_the_names_and_numbers_of_the_rfc() -> None:
    assert {one.label: one.value for one in PkiFailure} == {
        "badAlg": 0,
        "badRequest": 2,
        "badDataFormat": 5,
        "timeNotAvailable": 14,
        "unacceptedPolicy": 15,
        "unacceptedExtension": 16,
        "addInfoNotAvailable": 17,
        "systemFailure": 25,
    }


def info(**changed: object) -> TstInfo:
    fields: dict[str, object] = {
        "policy": "1.2.3.4",
        "imprint": MessageImprint.make("sha256", bytes(32)),
        "serial": Serial((1 << 159) - 1),
        "gen_time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "accuracy": timedelta(seconds=1, milliseconds=20, microseconds=3),
        "ordering": True,
        "nonce": -5,
        "tsa": der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8_string("TSA")))),
    }
    return TstInfo(**{**fields, **changed})  # type: ignore[arg-type]


GEN_TIMES = {0: b"20260102030405Z", 500_000: b"20260102030405.5Z", 120: b"20260102030405.00012Z", 1: b"05.000001Z"}


@pytest.mark.parametrize(("microsecond", "written"), GEN_TIMES.items())
def test_gen_time_has_no_more_fractions_than_it_needs(microsecond: int, written: bytes) -> None:
    made = info(gen_time=datetime(2026, 1, 2, 3, 4, 5, microsecond, UTC))
    assert written in made.der
    assert TstInfo.parse(made.der) == made
    assert tsp.TSTInfo.load(made.der)["gen_time"].native == made.gen_time


@pytest.mark.parametrize("written", ["20260102030405.50Z", "20260102030405.Z", "202601020304Z", "20260102030405,5Z",
                                     "20260102030405.5", "20260102030405.5+0000", "20260230030405Z",
                                     "20260102030405.1234567Z"])  # fmt: skip
def test_another_form_of_gen_time_is_refused(written: str) -> None:
    moment = der.generalized_time(info().gen_time)
    broken = info().der.replace(moment, der.tlv(0x18, written.encode()))
    head = der.tlv(0x30, broken[2 if broken[1] < 0x80 else 3 :])
    with pytest.raises(MalformedDer):
        TstInfo.parse(head)


@pytest.mark.parametrize(
    "accuracy",
    [
        timedelta(seconds=1),
        timedelta(milliseconds=1),
        timedelta(microseconds=999),
        timedelta(seconds=1, microseconds=1),
    ],
)
def test_the_accuracy_is_written_and_read_alike(accuracy: timedelta) -> None:
    made = info(accuracy=accuracy, ordering=False, nonce=None, tsa=None)
    assert TstInfo.parse(made.der) == made
    read = tsp.TSTInfo.load(made.der)["accuracy"]
    parts = [read[name].native or 0 for name in ("seconds", "millis", "micros")]
    assert timedelta(seconds=parts[0], milliseconds=parts[1], microseconds=parts[2]) == accuracy


def test_another_reader_finds_what_was_written() -> None:
    read = tsp.TSTInfo.load(info().der)
    assert read["serial_number"].native == (1 << 159) - 1
    assert read["nonce"].native == -5
    assert read["ordering"].native is True
    assert read["tsa"].native["common_name"] == "TSA"
    assert read["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"


def test_a_digest_that_is_not_stamped_makes_no_imprint() -> None:
    for algorithm, digest in (("sha1", bytes(20)), ("sha256", bytes(20))):
        with pytest.raises(InvalidInput):
            MessageImprint.make(algorithm, digest)


def test_a_granted_answer_is_its_token() -> None:
    token = cms.ContentInfo({"content_type": "data", "content": b"x"}).dump()
    assert TimestampResponse.parse(granted(token)).token == token
    assert tsp.TimeStampResp.load(granted(token))["status"]["status"].native == "granted"


VALID = [request(POLICY, NONCE, CERT_REQ), info().der]
READERS = [TimestampRequest.parse, TstInfo.parse, TimestampResponse.parse, SignedMessage.parse, SignedAttributes.parse]


@given(data=st.data())
def test_whatever_bytes_come_only_our_own_errors_come_out(data: st.DataObject) -> None:
    valid = data.draw(st.sampled_from(VALID))
    at = data.draw(st.integers(0, len(valid) - 1))
    mutated = data.draw(
        st.one_of(
            st.binary(max_size=64),
            st.just(valid[:at]),
            st.binary(max_size=4).map(lambda extra: valid[:at] + extra + valid[at + 1 :]),
        )
    )
    for read in READERS:
        with suppress(CaError):
            read(mutated)


@given(
    policy=st.none() | st.sampled_from(["1.2.3", "2.25.329800735698586629295641978511506172918"]),
    nonce=st.none() | st.integers(-(1 << 511), (1 << 511) - 1),
    certificates=st.booleans(),
    algorithm=st.sampled_from(list(DIGESTS.values())),
)
def test_what_a_client_writes_the_authority_reads(
    policy: str | None, nonce: int | None, certificates: bool, algorithm: str
) -> None:
    made = TimestampRequest(
        MessageImprint.make(algorithm, hashlib.new(algorithm).digest()), policy, nonce, certificates
    )
    assert TimestampRequest.parse(made.der) == made
    assert (tsp.TimeStampReq.load(made.der)["nonce"].native, made.nonce) == (nonce, nonce)
