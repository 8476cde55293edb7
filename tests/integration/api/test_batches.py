"""Many certificates with one request: each row by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ca_core.domain.access import Permission
from tests.integration.conftest import request_for


def test_each_row_has_its_certificate_or_its_problem(house: Any, by: Any) -> None:
    approved, ready, submitted = house.approved(), house.ready(), house.submit(house.apply())
    items = [
        {"application": str(approved.id), "request": request_for().decode()},
        {"application": str(ready.id)},
        {"application": str(submitted.id)},
        {"application": str(UUID(int=1))},
    ]
    answer = by("subscriber")("POST", "/certificates/batch", json={"items": items})
    assert answer.status_code == 200
    first, second, third, fourth = answer.json["items"]
    assert [one["application"] for one in answer.json["items"]] == [one["application"] for one in items]
    for one in (first, second):
        assert one["certificate"]["state"] == "issued"
        assert one["pem"].startswith("-----BEGIN CERTIFICATE-----")
        assert one["problem"] is None
    assert third["problem"]["code"] == "approval-needed"
    assert fourth["problem"]["status"] == 404
    again = by("subscriber")("POST", "/certificates/batch", json={"items": items})
    assert again.json == answer.json


def test_a_token_that_may_not_issues_nothing(house: Any, by: Any) -> None:
    application = house.ready()
    narrow = by("subscriber", frozenset({Permission.CERTIFICATE_VIEW}))
    answer = narrow("POST", "/certificates/batch", json={"items": [{"application": str(application.id)}]})
    assert answer.json["items"][0]["problem"]["status"] == 403
    assert house.current(application).certificate is None


def test_an_empty_batch_and_one_that_is_too_large_are_refused(by: Any, problem: Any) -> None:
    item = {"application": str(UUID(int=1))}
    for items in ([], [item] * 501):
        problem(by("subscriber")("POST", "/certificates/batch", json={"items": items}), 422, "invalid-input")
