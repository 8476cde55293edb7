"""Answers that stand ready: as right as those that are signed when somebody asks, and gone before a change commits."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import lmdb
import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Role
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import NotPermitted, TryAgain, WrongState
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, ResponseStatus, Revoked, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from ca_core.x509.signature import verify_signature
from ocsp.answers import AnswerStore, Shelf
from ocsp.composing import Signed
from ocsp.http import ReadyResponses

R = RevocationReason
OTHER_REQUESTS: list[tuple[str, Callable[[CertId, CertId], bytes]]] = [
    ("two certificates", lambda one, other: ocsp_request([one, other])),
    ("a nonce", lambda one, _: ocsp_request([one], nonce=b"12345678")),
    ("nothing", lambda _, __: b""),
    ("one octet", lambda _, __: b"0"),
    ("one octet too few", lambda one, _: ocsp_request([one])[:-1]),
    ("one octet too many", lambda one, _: ocsp_request([one]) + b"\0"),
    ("a serial of no octets", lambda one, _: _of_serial(one, b"\x02\x00")),
    ("a serial that is an OCTET STRING", lambda one, _: _of_serial(one, b"\x04\x01\x01")),
    ("a serial with octets behind it", lambda one, _: _of_serial(one, b"\x02\x01\x01\x00")),
    ("an issuer that is not ours", lambda one, _: ocsp_request([replace(one, issuer_key_hash=bytes(20)).of_serial(1)])),
    ("a serial that is nobody's", lambda one, _: ocsp_request([one.of_serial(1)])),
]


def _of_serial(cert_id: CertId, serial: bytes) -> bytes:
    return ocsp_request([replace(cert_id, der=der.sequence(cert_id.before_serial, serial))])


def cert_id(world: Any, row: Any, digest: str = "sha1") -> CertId:
    issuer = SignedCertificate.parse(world.issuing.certificate)
    return CertId.make(
        issuer=issuer.subject,
        issuer_public_key_info=issuer.public_key_info,
        serial=1 if row is None else row.serial.value,
        digest=digest,
    )


def asking(world: Any, row: Any, digest: str = "sha1") -> bytes:
    return ocsp_request([cert_id(world, row, digest)])


def ready(world: Any, row: Any, digest: str = "sha1") -> CertStatus | Revoked | None:
    """What the answer says that stands ready, its signature checked as a client does; None when there is none."""
    found = world.ready.answer(asking(world, row, digest))
    if found is None:
        return None
    answer = OcspAnswer.parse(found.body)
    assert answer.status is ResponseStatus.SUCCESSFUL
    assert answer.data is not None
    (signer,) = answer.certificates
    verify_signature(signer.public_key_info, answer.signature_algorithm, answer.data.der, answer.signature)
    (single,) = answer.data.answers
    assert single.cert_id == cert_id(world, row, digest)
    return single.status


@pytest.fixture
def presign(world: Any) -> Callable[..., int]:
    """Sign what is due of the issuing authority; the handles of issuers that were added since are looked up anew."""

    def sign(**options: Any) -> int:
        made: int = world.presigner(**options).sign(world.issuing.id)
        world.ready = type(world.ready)(
            world.store, max_age=timedelta(hours=1), clock=lambda: world.clock().timestamp()
        )
        assert world.ready.answer(ocsp_request([cert_id(world, None).of_serial(1)])) is None
        return made

    return sign


STATES: list[tuple[str, Callable[[Any], Any]]] = [
    ("issued", lambda world: world.certificate()),
    ("held", lambda world: world.hold(world.certificate())),
    ("unheld", lambda world: world.unhold(world.hold(world.certificate()))),
    ("revoked", lambda world: world.revoke(world.certificate(), R.KEY_COMPROMISE)),
    ("abandoned", lambda world: world.abandoned()),
]


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize(("state", "make"), STATES, ids=[one[0] for one in STATES])
def test_an_answer_that_stands_ready_says_what_one_that_is_asked_for_says(
    world: Any, presign: Any, state: str, make: Callable[[Any], Any], digest: str
) -> None:
    row = make(world)
    presign()
    asked = OcspAnswer.parse(world.ocsp.answer(asking(world, row, digest)).body).data
    assert asked is not None
    assert ready(world, row, digest) == asked.answers[0].status


@pytest.mark.parametrize(("what", "request_of"), OTHER_REQUESTS, ids=[one[0] for one in OTHER_REQUESTS])
def test_whatever_else_is_asked_goes_the_long_way(
    world: Any, presign: Any, what: str, request_of: Callable[[CertId, CertId], bytes]
) -> None:
    one, other = world.certificate(), world.certificate()
    presign()
    assert ready(world, one) is CertStatus.GOOD
    assert world.ready.answer(request_of(cert_id(world, one), cert_id(world, other))) is None


def test_no_answer_stands_ready_for_an_intent(world: Any, presign: Any) -> None:
    row = world.intent()
    presign()
    assert ready(world, row) is None


def test_no_answer_stands_ready_for_what_has_expired(world: Any, presign: Any) -> None:
    row = world.certificate(valid_for=timedelta(days=2))
    world.clock.ahead = timedelta(days=3)
    presign()
    assert ready(world, row) is None


CHANGES: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("hold", lambda world, row: world.hold(row)),
    ("revoke", lambda world, row: world.revoke(row)),
    ("hold and unhold", lambda world, row: world.unhold(world.hold(row))),
]


@pytest.mark.parametrize(("change", "do"), CHANGES, ids=[one[0] for one in CHANGES])
def test_invariant_10_no_answer_of_before_stands_ready_after_a_change(
    world: Any, presign: Any, change: str, do: Callable[[Any, Any], Any]
) -> None:
    row = world.certificate()
    presign()
    assert ready(world, row) is CertStatus.GOOD
    do(world, row)
    assert (ready(world, row), ready(world, row, "sha256")) == (None, None)
    assert presign() == 2
    assert ready(world, row) is not None


def test_invariant_10_the_answer_is_gone_before_the_change_is_committed(world: Any, presign: Any) -> None:
    """A reader between the two signs from the row, which is right whichever of both it sees."""
    row = world.certificate()
    presign()
    seen = []

    class Watched:
        def forget(self, certificates: Any, issuers: Any = ()) -> None:
            world.store.forget(certificates, issuers)
            seen.append(ready(world, row))
            with world.transactions.read(SYSTEM_ACTOR) as tx:
                seen.append(tx.certificates.get(row.id, seen_by=EVERYTHING).state.value)

    world.transactions.answers = Watched()
    try:
        world.revoke(row)
    finally:
        world.transactions.answers = world.store
    assert seen == [None, "issued"]


def test_invariant_10_a_change_that_cannot_be_told_to_the_store_does_not_happen(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign()

    class Full:
        def forget(self, certificates: Any, issuers: Any = ()) -> None:
            raise TryAgain("the disk is full")

    world.transactions.answers = Full()
    try:
        with pytest.raises(TryAgain):
            world.revoke(row)
    finally:
        world.transactions.answers = world.store
    assert ready(world, row) is CertStatus.GOOD
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.certificates.get(row.id, seen_by=EVERYTHING).state.value == "issued"


def test_invariant_10_a_certificate_that_changes_while_its_answer_is_signed_gets_none(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign()
    world.clock.ahead = timedelta(days=3)
    due = world.certificate()
    begin = world.transactions.begin
    changes = [lambda: world.revoke(row), lambda: world.revoke(due)]

    def after_the_signatures(actor: Any) -> Any:
        while changes:
            changes.pop()()
        return begin(actor)

    world.transactions.begin = after_the_signatures
    try:
        world.presigner().sign(world.issuing.id)
    finally:
        world.transactions.begin = begin
    assert (ready(world, row), ready(world, due)) == (None, None)


@pytest.mark.parametrize("reason", [R.CA_COMPROMISE, R.KEY_COMPROMISE])
def test_invariant_10_of_a_compromised_issuer_no_good_answer_stands_ready(
    build_world: Any, reason: RevocationReason
) -> None:
    world = build_world(KeyAlgorithm.EC_P256)
    row = world.certificate()
    world.presigner().sign(world.issuing.id)
    assert ready(world, row) is CertStatus.GOOD
    world.revocation.revoke(SYSTEM_ACTOR, world.issuing.certificate_id, reason=R.SUPERSEDED, because="a test")
    assert ready(world, row) is None
    world.presigner().sign(world.issuing.id)
    assert ready(world, row) is CertStatus.GOOD
    if reason is R.KEY_COMPROMISE:
        world.revocation.revoke(SYSTEM_ACTOR, world.issuing.certificate_id, reason=reason, because="a test")
        assert ready(world, row) is None
        world.presigner().sign(world.issuing.id)
        said = ready(world, row)
        assert isinstance(said, Revoked)
        assert said.reason == R.CA_COMPROMISE


def test_a_responder_that_is_revoked_takes_its_answers_with_it(build_world: Any) -> None:
    world = build_world(KeyAlgorithm.EC_P256)
    row = world.certificate()
    world.presigner().sign(world.issuing.id)
    assert ready(world, row) is CertStatus.GOOD
    world.revocation.revoke(SYSTEM_ACTOR, world.responder.certificate_id, reason=R.KEY_COMPROMISE, because="a test")
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.authorities.get(world.responder.id, seen_by=EVERYTHING).state is AuthorityState.REVOKED
    assert ready(world, row) is None
    assert world.presigner().sign(world.issuing.id) == 0


def test_an_answer_is_made_again_when_between_half_and_three_quarters_are_gone(world: Any, presign: Any) -> None:
    rows = [world.certificate() for _ in range(8)]
    presign()
    world.clock.ahead = timedelta(days=2) - timedelta(minutes=1)
    assert presign() == 0
    world.clock.ahead = timedelta(days=3)
    assert presign() >= 2 * len(rows)
    assert presign() == 0


def test_an_answer_that_has_ended_is_not_given(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign(validity=timedelta(hours=2))
    world.clock.ahead = timedelta(hours=2)
    assert ready(world, row) is None


def test_one_that_stands_ready_has_the_archive_cutoff_too(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign(archive=timedelta(days=36_500))
    (single,) = OcspAnswer.parse(world.ready.answer(asking(world, row)).body).data.answers  # type: ignore[union-attr]
    assert single.archive_cutoff == world.issuing.not_before.replace(microsecond=0)


def test_no_answer_outlives_the_responder(world: Any, presign: Any) -> None:
    row = world.certificate()
    world.clock.ahead = world.responder.not_after - timedelta(seconds=100) - world.clock()
    presign()
    found = world.ready.answer(asking(world, row))
    assert datetime.fromtimestamp(found.next_update, UTC) == world.responder.not_after.replace(microsecond=0)
    assert found.max_age <= 50


def test_caches_keep_an_answer_for_half_of_the_time_it_has_left_and_an_hour_at_most(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign(validity=timedelta(hours=4))
    assert world.ready.answer(asking(world, row)).max_age == 3600
    world.clock.ahead = timedelta(hours=3)
    assert 1790 <= world.ready.answer(asking(world, row)).max_age <= 1800


def test_a_client_that_has_the_answer_is_told_so(world: Any, presign: Any) -> None:
    row = world.certificate()
    presign()
    responses = ReadyResponses(world.ready)
    path = b"/ocsp/" + b64encode(asking(world, row))
    status, headers, body = parts(responses.get(path, seen=None, more=b""))
    assert (status, bool(body)) == (b"200 OK", True)
    tag = headers["etag"].encode()
    status, headers, body = parts(responses.get(path, seen=b'"other", ' + tag, more=b""))
    assert (status, body) == (b"304 Not Modified", b"")
    assert headers["etag"].encode() == tag
    status, headers, body = parts(responses.post(asking(world, row), more=b""))
    assert (status, bool(body), headers["cache-control"]) == (b"200 OK", True, "no-store")


def parts(response: bytes | None) -> tuple[bytes, dict[str, str], bytes]:
    """Status, headers, body."""
    assert response is not None
    head, _, body = response.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    headers = dict(field.decode().split(": ", 1) for field in fields)
    if "content-length" in headers:
        assert int(headers["content-length"]) == len(body)
    return line.removeprefix(b"HTTP/1.1 "), headers, body


def test_one_that_stands_ready_is_found_however_the_path_is_written(world: Any, presign: Any) -> None:
    text = next(
        text
        for text in (b64encode(asking(world, world.certificate())).decode() for _ in range(500))
        if {"+", "/", "="} <= set(text)
    )
    presign()
    ways = [text, quote(text, safe=""), quote(quote(text, safe="")), text.rstrip("=")]
    ways += [quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d"), "/" + text.replace("+", "%20")]
    responses = ReadyResponses(world.ready)
    assert len({responses.get(f"/ocsp/{way}".encode(), seen=None, more=b"") for way in ways} - {None}) == 1
    assert all(responses.get(f"/ocsp/{way}".encode(), seen=None, more=b"") for way in ways)


def test_stretches_cover_every_certificate_once(world: Any, monkeypatch: pytest.MonkeyPatch, presign: Any) -> None:
    rows = [world.certificate() for _ in range(7)]
    monkeypatch.setattr("ocsp.presigning.STRETCH", 3)
    monkeypatch.setattr("ocsp.presigning.BATCH", 2)
    world.clock.ahead = timedelta(days=1)  # a turn of its own
    presigner = world.presigner()
    presigner.tick()
    presigner.tick()
    done = []
    while True:
        with world.transactions.begin(SYSTEM_ACTOR) as tx:
            job = tx.jobs.lease("test", seconds=60)
        if job is None:
            break
        if job.kind == "presign":
            done.append((job.arguments["after"], job.arguments["until"]))
            presigner.do(job)
        with world.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.jobs.finish(job)
    assert len(done) >= 2
    assert len(set(done)) == len(done)
    assert {until for _, until in done} - {None} == {after for after, _ in done} - {None}
    presign(digests=())
    assert all(ready(world, row) is CertStatus.GOOD for row in rows)


def test_filling_is_for_those_who_may_issue_lists(world: Any) -> None:
    nobody = Actor(id=SYSTEM_ACTOR.id, name="x", roles=frozenset({Role.SUBSCRIBER}))
    with pytest.raises(NotPermitted):
        world.presigner().fill(nobody, "issuing")


def test_an_authority_without_a_responder_has_no_answers_to_sign(world: Any) -> None:
    with pytest.raises(WrongState):
        world.presigner().fill(SYSTEM_ACTOR, "root")


def test_filled_anew_every_answer_is_another(world: Any) -> None:
    world.certificate()
    presigner = world.presigner()
    presigner.fill(SYSTEM_ACTOR, "issuing")
    assert presigner.fill(SYSTEM_ACTOR, "issuing") == 0
    looked_at = []
    assert presigner.fill(SYSTEM_ACTOR, "issuing", anew=True, progress=lambda seen, _: looked_at.append(seen)) > 0
    assert sum(looked_at) > 0


def test_a_store_that_takes_nothing_says_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocsp.answers.MAP_SIZE", 64 * 1024)
    store = AnswerStore(tmp_path)
    shelf = Shelf(issuer=SYSTEM_ACTOR.id, digest="sha1")
    now = datetime.now(UTC)
    answers = [(Serial(number), Signed(der=bytes(1000), this_update=now, next_update=now)) for number in range(1, 100)]
    with pytest.raises(TryAgain):
        store.put(shelf, answers, tail=1)
    assert store.counts() == {}


def test_a_store_that_cannot_be_read_is_no_answer_and_stops_a_change(
    world: Any, presign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.certificate()
    presign()
    assert ready(world, row) is CertStatus.GOOD

    class Crowded:
        def begin(self, **_: Any) -> Any:
            raise lmdb.ReadersFullError("full")

        def __getattr__(self, name: str) -> Any:
            return getattr(environment, name)

    environment = world.store.environment
    monkeypatch.setattr(world.store, "environment", Crowded())
    monkeypatch.setattr(world.ready, "_begin", Crowded().begin)
    assert ready(world, row) is None
    monkeypatch.setattr(world.ready, "_handles", {})
    world.clock.ahead = timedelta(minutes=1)  # time to look for issuers again
    assert ready(world, row) is None
    with pytest.raises(TryAgain):
        world.revoke(row)
    monkeypatch.undo()
    assert ready(world, row) is CertStatus.GOOD


def test_two_stores_of_one_process_are_one(tmp_path: Path) -> None:
    shelf = Shelf(issuer=SYSTEM_ACTOR.id, digest="sha1")
    AnswerStore(tmp_path).add_shelf(shelf, b"prefix")
    assert AnswerStore(tmp_path / ".." / tmp_path.name).shelves() == {b"prefix": shelf}
