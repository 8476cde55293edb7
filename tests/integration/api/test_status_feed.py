"""What a status node asks of the REST API."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from api.status import AnswerOut, ChangesOut, IssuerOut, PublishedOut, StretchOut
from ca_core.domain.access import SYSTEM_ACTOR, Permission

FOLLOW = frozenset({Permission.STATUS_FOLLOW})
PATHS = ["/status/changes", f"/status/answers?shelf={'0' * 32}:sha1", "/status/published"]


@pytest.mark.parametrize("path", PATHS)
def test_only_who_may_follow_is_told(by: Any, problem: Any, path: str) -> None:
    problem(by(None)("GET", path), 401, "not-authenticated")
    for name in ("subscriber", "operator", "reviewer", "auditor", "support", "administrator"):
        problem(by(name)("GET", path), 403, "not-permitted")
    problem(by("officer", frozenset({Permission.CRL_ISSUE}))("GET", path), 403, "not-permitted")


def test_a_token_to_follow_can_do_nothing_else(by: Any, problem: Any) -> None:
    node = by("officer", FOLLOW)
    for path in ("/certificates", "/applications", "/audit", "/jobs", "/tokens"):
        problem(node("GET", path), 403, "not-permitted")
    assert node("GET", "/status/changes").status_code == 200


def test_begun_anew_then_told_of_each_change(by: Any, house: Any) -> None:
    node = by("officer", FOLLOW)
    begun = ChangesOut.model_validate_json(node("GET", "/status/changes").data)
    assert (begun.anew, begun.answers) == (True, [])
    house.program.presigner.fill(SYSTEM_ACTOR, "issuing")
    ask = f"/status/changes?epoch={begun.epoch}&after={begun.number}&link={begun.link.hex()}"
    told = ChangesOut.model_validate_json(node("GET", ask).data)
    assert not told.anew
    assert not told.more
    assert told.answers
    assert set(told.shelves.values()) == {one.shelf for one in told.answers}
    assert all(one.record for one in told.answers)
    first = ChangesOut.model_validate_json(node("GET", f"{ask}&limit=1").data)
    assert (first.more, len(first.answers)) == (True, 1)
    nothing = ChangesOut.model_validate_json(
        node("GET", f"/status/changes?epoch={told.epoch}&after={told.number}&link={told.link.hex()}").data
    )
    assert (nothing.anew, nothing.number, nothing.answers) == (False, told.number, [])
    copied: list[AnswerOut] = []
    for shelf in set(told.shelves.values()):
        page = StretchOut.model_validate_json(node("GET", f"/status/answers?shelf={shelf}&limit=5000").data)
        assert not page.more
        copied += page.answers
    assert sorted(copied, key=repr) == sorted(told.answers, key=repr)


def test_every_published_list_is_named_with_its_digest(by: Any, house: Any) -> None:
    told = PublishedOut.model_validate_json(by("officer", FOLLOW)("GET", "/status/published").data)
    listed = {one.path: one for issuer in told.issuers for one in issuer.lists}
    assert len(told.issuers) == 2
    assert listed
    for issuer in told.issuers:
        key = issuer.path.removeprefix("/aia/").removesuffix(".cer")
        assert house.program.crls.issuer(key).certificate == issuer.certificate
        head, _ = house.program.crls.current(key, 0)
        der = house.program.crls.bytes_of(head)
        assert listed[f"/crl/{key}.crl"].sha256 == hashlib.sha256(der).hexdigest()
    assert IssuerOut.model_validate_json(told.issuers[0].model_dump_json()) == told.issuers[0]


@pytest.mark.parametrize(
    "path",
    [
        "/status/changes?after=-1",
        "/status/changes?epoch=xyz",
        "/status/changes?limit=5001",
        "/status/changes?more=1",
        "/status/answers",
        "/status/answers?shelf=changes",
        f"/status/answers?shelf={'0' * 32}:sha1&after=0",
    ],
)
def test_what_is_no_question_is_refused(by: Any, problem: Any, path: str) -> None:
    problem(by("officer", FOLLOW)("GET", path), 422, "invalid-input")


def test_a_shelf_that_is_not_there_is_not_found(by: Any, problem: Any) -> None:
    problem(by("officer", FOLLOW)("GET", f"/status/answers?shelf={'0' * 32}:sha1"), 404, "not-found")
