"""Whatever bytes come, an OCSPResponse goes back, and never a good one about something else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ca_core.x509 import der
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import DIGESTS, CertId, CertStatus, ResponseStatus, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture(scope="module")
def valid(module_world: Any) -> tuple[bytes, CertId]:
    """A request about one issued certificate, and how it names it."""
    issuer = SignedCertificate.parse(module_world.issuing.certificate)
    asked = CertId.make(
        issuer=issuer.subject,
        issuer_public_key_info=issuer.public_key_info,
        serial=module_world.certificate().serial.value,
        digest="sha256",
    )
    return ocsp_request([asked], nonce=b"nonce"), asked


def sound(world: Any, valid: tuple[bytes, CertId], request: bytes) -> OcspAnswer:
    """The answer, which parses; what is called good in it is the one certificate that was issued."""
    answer = world.ocsp.answer(request)
    read = OcspAnswer.parse(answer.body)
    assert read.status is not ResponseStatus.INTERNAL_ERROR
    if read.data is None:
        assert answer.freshness is None
    else:
        for single in read.data.answers:
            if single.status is CertStatus.GOOD:
                assert single.cert_id.serial == valid[1].serial
                assert single.cert_id.issuer_key_hash == valid[1].issuer_key_hash
            else:
                assert answer.freshness is None
    return read


@FUZZ
@given(request=st.binary(max_size=300))
def test_random_bytes(module_world: Any, valid: tuple[bytes, CertId], request: bytes) -> None:
    sound(module_world, valid, request)


@FUZZ
@given(data=st.data())
def test_a_valid_request_with_some_bytes_changed(module_world: Any, valid: tuple[bytes, CertId], data: Any) -> None:
    request = bytearray(valid[0])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(request) - 1))
        match data.draw(st.sampled_from(["change", "insert", "delete"])):
            case "change":
                request[at] = data.draw(st.integers(0, 255))
            case "insert":
                request.insert(at, data.draw(st.integers(0, 255)))
            case _:
                del request[at]
    sound(module_world, valid, bytes(request))


@FUZZ
@given(
    serials=st.lists(st.integers(-(2**170), 2**170), min_size=1, max_size=8),
    digest=st.sampled_from(sorted(DIGESTS.values())),
    nonce=st.none() | st.binary(min_size=1, max_size=128),
)
def test_any_serial_of_ours_is_answered_for(
    module_world: Any, valid: tuple[bytes, CertId], serials: list[int], digest: str, nonce: bytes | None
) -> None:
    issuer = SignedCertificate.parse(module_world.issuing.certificate)
    asked = [
        CertId.make(issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=serial, digest=digest)
        for serial in serials
    ]
    read = sound(module_world, valid, ocsp_request(asked, nonce=nonce))
    assert read.data is not None
    assert read.data.nonce == nonce
    assert [single.cert_id.der for single in read.data.answers] == list({one.der: one for one in asked})


@FUZZ
@given(
    oid=st.sampled_from(["1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "1.2.3.4"]),
    parameters=st.sampled_from([b"", der.NULL, der.integer(1), der.sequence()]),
    name=st.binary(max_size=40),
    key=st.binary(max_size=40),
    serial=st.integers(-5, 2**160),
)
def test_hashes_of_any_shape_are_somebody_elses(
    module_world: Any, valid: tuple[bytes, CertId], oid: str, parameters: bytes, name: bytes, key: bytes, serial: int
) -> None:
    encoded = der.sequence(
        der.sequence(der.oid(oid), parameters), der.octet_string(name), der.octet_string(key), der.integer(serial)
    )
    read = sound(module_world, valid, ocsp_request([CertId(oid, name, key, serial, encoded)]))
    assert read.status in (ResponseStatus.UNAUTHORIZED, ResponseStatus.MALFORMED_REQUEST)
