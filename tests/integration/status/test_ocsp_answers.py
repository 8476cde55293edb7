"""What the responder says: every state, every policy, every reason not to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import IntegrityAlarm, KeyUnavailable, NotFound, TryAgain
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import (
    EXTENDED_REVOKE,
    CertId,
    CertStatus,
    ResponseStatus,
    Revoked,
    ocsp_request,
)
from ca_core.x509.ocsp_answer import OcspAnswer, ResponseData
from ca_core.x509.signature import verify_signature
from ocsp.responder import Responder

R = RevocationReason


def cert_id(issuer: Any, serial: int, digest: str = "sha256") -> CertId:
    certificate = SignedCertificate.parse(issuer.certificate)
    return CertId.make(
        issuer=certificate.subject, issuer_public_key_info=certificate.public_key_info, serial=serial, digest=digest
    )


def ask(responder: Any, *cert_ids: CertId, nonce: bytes | None = None) -> ResponseData:
    """A successful answer, its signature checked as a client does."""
    answer = OcspAnswer.parse(responder.answer(ocsp_request(cert_ids, nonce=nonce)).body)
    assert answer.status is ResponseStatus.SUCCESSFUL
    assert answer.data is not None
    (signer,) = answer.certificates
    verify_signature(signer.public_key_info, answer.signature_algorithm, answer.data.der, answer.signature)
    return answer.data


def refused(responder: Any, request: bytes) -> ResponseStatus:
    """The status of an answer that is an error, which nobody may keep."""
    answer = responder.answer(request)
    assert answer.freshness is None
    read = OcspAnswer.parse(answer.body)
    assert read.data is None
    return read.status


def about(world: Any, certificate: Any, digest: str = "sha256") -> CertId:
    return cert_id(world.issuing, certificate.serial.value, digest)


STATES: list[tuple[str, Callable[[Any], Any], str, RevocationReason | None]] = [
    ("issued", lambda world: world.certificate(), "good", None),
    ("held", lambda world: world.hold(world.certificate()), "revoked", R.CERTIFICATE_HOLD),
    ("unheld", lambda world: world.unhold(world.hold(world.certificate())), "good", None),
    ("revoked", lambda world: world.revoke(world.certificate(), R.KEY_COMPROMISE), "revoked", R.KEY_COMPROMISE),
    ("unspecified", lambda world: world.revoke(world.certificate(), R.UNSPECIFIED), "revoked", None),
    ("held, then revoked", lambda world: world.revoke(world.hold(world.certificate())), "revoked", R.SUPERSEDED),
    ("abandoned", lambda world: world.abandoned(), "revoked", R.CESSATION_OF_OPERATION),
    ("an intent", lambda world: world.intent(), "unknown", None),
]


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize(("state", "make", "status", "reason"), STATES, ids=[one[0] for one in STATES])
def test_every_state_by_every_digest(
    world: Any, state: str, make: Callable[[Any], Any], status: str, reason: RevocationReason | None, digest: str
) -> None:
    certificate = make(world)
    asked = about(world, certificate, digest)
    (single,) = ask(world.ocsp, asked).answers
    assert single.cert_id.der == asked.der
    if status == "revoked":
        assert isinstance(single.status, Revoked)
        assert single.status.reason == reason
        assert single.status.revoked_at == certificate.revoked_at.replace(microsecond=0)
    else:
        assert single.status is CertStatus[status.upper()]


@pytest.mark.parametrize(("state", "make", "status", "reason"), STATES, ids=[one[0] for one in STATES])
def test_the_status_for_the_command_line_says_the_same(
    world: Any, state: str, make: Callable[[Any], Any], status: str, reason: RevocationReason | None
) -> None:
    certificate = make(world)
    found = world.ocsp.status(world.issuing.id, certificate.serial)
    assert found.status == status
    assert found.reason == (reason or (R.UNSPECIFIED if state == "unspecified" else None))
    assert found.revoked_at == certificate.revoked_at


SERIALS = [1, 2**158, 2**159 - 1, 0, -1, 2**159, 2**200]


@pytest.mark.parametrize("serial", SERIALS)
def test_invariant_11_a_serial_that_was_never_issued_is_unknown(world: Any, serial: int) -> None:
    asked = cert_id(world.issuing, serial)
    (single,) = ask(world.ocsp, asked).answers
    assert single.status is CertStatus.UNKNOWN
    assert single.cert_id.der == asked.der


@pytest.mark.parametrize("serial", SERIALS)
def test_invariant_11_or_revoked_by_the_extended_definition(world: Any, serial: int) -> None:
    data = ask(world.answering(unknown_serial="revoked"), cert_id(world.issuing, serial))
    assert data.answers[0].status == Revoked(datetime(1970, 1, 1, tzinfo=UTC), R.CERTIFICATE_HOLD)  # RFC 6960 §2.2
    assert EXTENDED_REVOKE in [extension.oid for extension in data.extensions]


@pytest.mark.parametrize("serial", SERIALS)
def test_invariant_11_or_nothing_is_said(world: Any, serial: int) -> None:
    responder = world.answering(unknown_serial="unauthorized")
    known = about(world, world.certificate())
    asked = cert_id(world.issuing, serial)
    assert refused(responder, ocsp_request([asked])) is ResponseStatus.UNAUTHORIZED
    assert refused(responder, ocsp_request([known, asked])) is ResponseStatus.UNAUTHORIZED
    assert ask(responder, known).answers[0].status is CertStatus.GOOD


@pytest.mark.parametrize("policy", ["unknown", "revoked", "unauthorized"])
def test_of_an_issuer_that_is_not_ours_unknown_is_said_where_that_is_configured(world: Any, policy: Any) -> None:
    responder = world.answering(unknown_serial=policy, unknown_issuer="unknown")
    strange = replace(cert_id(world.issuing, 5), issuer_key_hash=bytes(20)).of_serial(5)
    data = ask(responder, strange, strange)
    assert [(single.status, single.cert_id.der) for single in data.answers] == [(CertStatus.UNKNOWN, strange.der)]
    assert data.responder_key_hash == world.responder.key_identifier
    assert responder.answer(ocsp_request([strange])).freshness is None
    known = about(world, world.certificate())
    assert refused(responder, ocsp_request([known, strange])) is ResponseStatus.UNAUTHORIZED
    assert ask(responder, known).answers[0].status is CertStatus.GOOD
    assert refused(world.answering(unknown_serial=policy), ocsp_request([strange])) is ResponseStatus.UNAUTHORIZED


def test_the_archive_cutoff_is_the_time_that_is_vouched_for_and_no_earlier_than_the_issuer(world: Any) -> None:
    asked = about(world, world.certificate())
    assert ask(world.ocsp, asked).answers[0].archive_cutoff is None
    for archive in (timedelta(minutes=1), timedelta(days=36_500)):
        data = ask(world.answering(archive=archive), asked)
        (single,) = data.answers
        begun = world.issuing.not_before.replace(microsecond=0)
        assert single.archive_cutoff == max(data.produced_at - archive, begun)


@pytest.mark.parametrize("policy", ["unknown", "revoked", "unauthorized"])
def test_invariant_11_unknown_is_never_kept(world: Any, policy: Any) -> None:
    responder = world.answering(unknown_serial=policy)
    known = about(world, world.certificate())
    unknown, intent = cert_id(world.issuing, 12345), about(world, world.intent())
    assert responder.answer(ocsp_request([known])).freshness is not None
    for asked in ([unknown], [intent], [known, unknown]):
        assert responder.answer(ocsp_request(asked)).freshness is None


def other_name(world: Any, serial: int) -> CertId:
    issuing, root = SignedCertificate.parse(world.issuing.certificate), SignedCertificate.parse(world.root.certificate)
    return CertId.make(issuer=root.subject, issuer_public_key_info=issuing.public_key_info, serial=serial)


def other_key(world: Any, serial: int) -> CertId:
    issuing, root = SignedCertificate.parse(world.issuing.certificate), SignedCertificate.parse(world.root.certificate)
    return CertId.make(issuer=issuing.subject, issuer_public_key_info=root.public_key_info, serial=serial)


def other_digest(world: Any, serial: int) -> CertId:
    known = cert_id(world.issuing, serial, "sha1")
    return replace(known, der=known.der.replace(der.oid("1.3.14.3.2.26"), der.oid("1.3.14.3.2.27")))


@pytest.mark.parametrize("foreign", [other_name, other_key, other_digest], ids=["name", "key", "digest"])
def test_invariant_11_both_hashes_have_to_be_the_issuers(world: Any, foreign: Callable[[Any, int], CertId]) -> None:
    serial = world.certificate().serial.value
    assert refused(world.ocsp, ocsp_request([foreign(world, serial)])) is ResponseStatus.UNAUTHORIZED
    # We are not authoritative for all of a request that is partly about others.
    mixed = [cert_id(world.issuing, serial), foreign(world, serial)]
    assert refused(world.ocsp, ocsp_request(mixed)) is ResponseStatus.UNAUTHORIZED
    assert refused(world.ocsp, ocsp_request(mixed[::-1])) is ResponseStatus.UNAUTHORIZED


def test_the_root_has_no_responder_and_is_not_answered_for(world: Any) -> None:
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        row = tx.certificates.get(world.issuing.certificate_id, seen_by=EVERYTHING)
    asked = cert_id(world.root, row.serial.value)
    assert refused(world.ocsp, ocsp_request([asked])) is ResponseStatus.UNAUTHORIZED
    both = [about(world, world.certificate()), asked]
    assert refused(world.ocsp, ocsp_request(both)) is ResponseStatus.UNAUTHORIZED


def test_several_certificates_in_one_request(world: Any) -> None:
    rows = [make(world) for _, make, _, _ in STATES]
    asked = [about(world, row, digest) for row in rows for digest in ("sha1", "sha256")]
    data = ask(world.ocsp, *asked)
    assert [single.cert_id.der for single in data.answers] == [one.der for one in asked]
    names = ["revoked" if isinstance(one.status, Revoked) else one.status.name.lower() for one in data.answers]
    assert names == [status for _, _, status, _ in STATES for _ in range(2)]


def test_a_certificate_asked_about_twice_is_answered_for_once(world: Any) -> None:
    asked = about(world, world.certificate())
    assert len(ask(world.ocsp, asked, asked).answers) == 1


@pytest.mark.parametrize("size", [1, 16, 32, 33, 128])
def test_a_nonce_is_repeated(world: Any, size: int) -> None:
    nonce = bytes(range(size))
    asked = about(world, world.certificate())
    assert ask(world.ocsp, asked, nonce=nonce).nonce == nonce
    assert world.ocsp.answer(ocsp_request([asked], nonce=nonce)).freshness is None
    assert ask(world.ocsp, asked).nonce is None


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\x30\x00",
        b"not DER",
        b"\x00" * 9000,
        lambda asked: ocsp_request([asked], nonce=b""),
        lambda asked: ocsp_request([asked], nonce=b"x" * 129),
        lambda asked: ocsp_request([]),
        lambda asked: ocsp_request([asked] * 33),
        lambda asked: ocsp_request([asked]) + b"\x00",
        lambda asked: ocsp_request([asked])[:-1],
    ],
    ids=[
        "empty",
        "empty sequence",
        "text",
        "too large",
        "empty nonce",
        "long nonce",
        "about nothing",
        "about too much",
        "something after it",
        "cut",
    ],
)
def test_a_malformed_request_is_called_so(world: Any, request_: Any) -> None:
    data = request_ if isinstance(request_, bytes) else request_(cert_id(world.issuing, 1))
    assert refused(world.ocsp, data) is ResponseStatus.MALFORMED_REQUEST


def test_the_answer_is_signed_by_the_delegate_it_carries(world: Any) -> None:
    answer = OcspAnswer.parse(world.ocsp.answer(ocsp_request([about(world, world.certificate())])).body)
    assert [one.der for one in answer.certificates] == [world.responder.certificate]
    assert answer.data is not None
    assert answer.data.responder_key_hash == world.responder.key_identifier


def test_times_of_an_answer(world: Any) -> None:
    responder = world.answering(validity=timedelta(minutes=30))
    asked = about(world, world.certificate())
    before = world.clock().replace(microsecond=0)
    answer = responder.answer(ocsp_request([asked]))
    data = OcspAnswer.parse(answer.body).data
    assert data is not None
    (single,) = data.answers
    assert before <= single.this_update == data.produced_at <= world.clock()
    assert single.next_update == single.this_update + timedelta(minutes=30)
    assert (answer.freshness.this_update, answer.freshness.next_update) == (single.this_update, single.next_update)
    assert answer.freshness.max_age == 15 * 60


def test_no_answer_outlives_its_responder(world: Any) -> None:
    asked = about(world, world.certificate())
    world.clock.ahead = world.responder.not_after - timedelta(minutes=5) - world.clock()
    (single,) = ask(world.ocsp, asked).answers
    assert single.next_update == world.responder.not_after
    world.clock.ahead = world.responder.not_after + timedelta(seconds=2) - (world.clock() - world.clock.ahead)
    assert refused(world.ocsp, ocsp_request([asked])) is ResponseStatus.TRY_LATER


def test_a_responder_that_was_retired_does_not_answer(world: Any) -> None:
    asked = about(world, world.certificate())
    with world.transactions.begin(SYSTEM_ACTOR) as tx:
        retired = tx.authorities.replace(replace(world.responder, state=AuthorityState.RETIRED))
    try:
        assert refused(world.ocsp, ocsp_request([asked])) is ResponseStatus.TRY_LATER
    finally:
        with world.transactions.begin(SYSTEM_ACTOR) as tx:
            world.responder = tx.authorities.replace(replace(retired, state=AuthorityState.ACTIVE))
    assert ask(world.ocsp, asked).answers[0].status is CertStatus.GOOD


def failing(error: Exception) -> Callable[[Any, bytes], bytes]:
    def sign(signer: Any, data: bytes) -> bytes:
        raise error

    return sign


def lying(signer: Any, data: bytes) -> bytes:
    return signer.sign(data + b"!")  # type: ignore[no-any-return]


class KeysWith:
    def __init__(self, keys: Any, sign: Callable[[Any, bytes], bytes]) -> None:
        self.keys, self.sign = keys, sign

    def signer(self, reference: str, algorithm: Any) -> Any:
        real = self.keys.signer(reference, algorithm)
        return replace(real, sign=lambda data: self.sign(real, data))


@pytest.mark.parametrize(
    ("sign", "status"),
    [
        (failing(KeyUnavailable("the token was pulled")), ResponseStatus.TRY_LATER),
        (failing(TryAgain("busy")), ResponseStatus.TRY_LATER),
        (failing(NotFound("no key")), ResponseStatus.TRY_LATER),
        (failing(IntegrityAlarm("wrong")), ResponseStatus.INTERNAL_ERROR),
        (lying, ResponseStatus.INTERNAL_ERROR),
    ],
    ids=["token pulled", "busy", "no key", "alarm", "a signature that does not verify"],
)
def test_trouble_with_the_key(world: Any, sign: Callable[[Any, bytes], bytes], status: ResponseStatus) -> None:
    responder = world.answering(keys=KeysWith(world.keys, sign))
    assert refused(responder, ocsp_request([about(world, world.certificate())])) is status


def test_a_database_that_is_busy(world: Any) -> None:
    class Busy:
        def read(self, actor: Any) -> Any:
            raise TryAgain("busy")

    responder = Responder(Busy(), world.keys, validity=timedelta(hours=1), unknown_serial="unknown")  # type: ignore[arg-type]
    assert refused(responder, ocsp_request([cert_id(world.issuing, 1)])) is ResponseStatus.TRY_LATER


def test_an_answer_made_after_the_clock_was_set_back_is_still_sound(world: Any) -> None:
    world.clock.ahead = timedelta(days=2)
    row = world.revoke(world.certificate())
    world.clock.ahead = timedelta(0)
    (single,) = ask(world.ocsp, about(world, row)).answers
    assert isinstance(single.status, Revoked)
    assert single.status.revoked_at <= single.this_update <= world.clock()


def test_status_of_a_serial_nobody_issued(world: Any) -> None:
    assert world.ocsp.status(world.issuing.id, Serial(99)).status == "unknown"
    assert world.ocsp.status(world.root.id, world.certificate().serial).status == "unknown"
