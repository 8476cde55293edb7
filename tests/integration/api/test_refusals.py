"""Who may not, what does not fit, what is stale: each a problem document with its status and code."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.app import MAX_BODY
from ca_core.domain.access import Permission


def test_who_may_not_is_told_so(house: Any, by: Any, problem: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    path, nobody = f"/applications/{application.id}", by(None)
    problem(nobody("GET", path), 401, "not-authenticated")
    problem(nobody("GET", path, headers={"Authorization": "Bearer pkt_wrong"}), 401)
    problem(by("stranger")("GET", path), 404, "not-found")
    problem(by("elsewhere")("GET", path), 404, "not-found")
    problem(by("stranger")("POST", f"{path}/withdraw", version=1), 404)
    problem(by("auditor")("POST", f"{path}/claim"), 403, "not-permitted")
    problem(by("subscriber")("GET", "/audit"), 403)
    narrow = by("operator", frozenset({Permission.APPLICATION_VIEW}))
    assert narrow("GET", path).status_code == 200
    problem(narrow("POST", f"{path}/claim"), 403)
    caller = by("subscriber")
    clock.advance(timedelta(days=2))
    problem(caller("GET", path), 401)


def test_who_entered_it_does_not_approve_it(house: Any, by: Any, problem: Any) -> None:
    from dataclasses import replace

    application = house.apply(replace(house.tls(), owner=house.subscriber.id), by=house.operator)
    application = house.submit(application, by=house.operator)
    operator = by("operator")
    path = f"/applications/{application.id}"
    operator("POST", f"{path}/claim")
    snapshot = operator("GET", f"{path}/snapshot").json
    body = {"digest": snapshot["digest"]}
    answer = operator("POST", f"{path}/approve", version=snapshot["application"]["version"], json=body)
    problem(answer, 403, "self-approval")


def test_versions_are_asked_for_and_compared(house: Any, by: Any, problem: Any) -> None:
    draft = house.apply()
    subscriber, path = by("subscriber"), f"/applications/{draft.id}"
    problem(subscriber("PATCH", path, json={"subject": {"CN": "x"}}), 428, "precondition-required")
    assert subscriber("PATCH", path, version=1, json={"subject": {"CN": "x"}}).headers["ETag"] == '"2"'
    problem(subscriber("PATCH", path, version=1, json={"subject": {"CN": "y"}}), 412, "stale-version")
    for wrong in ("x", "*", '"2", "3"', '"-1"', '"99999999999999999999"'):
        answer = subscriber("PATCH", path, headers={"If-Match": wrong}, json={"subject": {"CN": "y"}})
        assert answer.status_code in (412, 422, 428), wrong


JSON = "application/json"


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/applications", {}, 405),
        ("POST", "/applications", {"json": {"profile": "private/tls-client"}}, 422),
        ("GET", "/profiles/no/such", {}, 404),
        ("POST", "/applications", {"json": {"profile": "private/tls-client", "subject": {}, "more": 1}}, 422),
        ("POST", "/crls", {"json": {"authority": "issuing", "more": 1}}, 422),
        ("GET", "/applications?cursor=nonsense", {}, 422),
        ("GET", "/applications?limit=0", {}, 422),
        ("GET", "/applications/not-a-uuid", {}, 404),
    ],
)
def test_a_wrong_request_is_a_problem_document(
    by: Any, problem: Any, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    problem(by("officer")(method, path, **options), status)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b'"text"', JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b'{"profile": NaN}', JSON, 422),
        (b"[" * 500_000, JSON, 400),
        (b'{"a":' * 150_000, JSON, 400),
        (b'{"days": ' + b"9" * 5000 + b"}", JSON, 400),
        (b"x", "text/plain", 415),
        (b"profile=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b" " * (MAX_BODY + 1), JSON, 413),
        (b"", JSON, 422),
        (b"", "", 422),
    ],
    ids=lambda value: repr(value[:10]) if isinstance(value, bytes) else None,
)
@pytest.mark.parametrize("path", ["/applications", "/loss-reports"])
def test_a_body_that_is_none_of_the_apis_is_refused_by_its_name(
    by: Any, problem: Any, path: str, data: bytes, content_type: str, status: int
) -> None:
    problem(by("subscriber")("POST", path, data=data, content_type=content_type), status)


def test_an_upload_is_multipart_or_nothing(house: Any, by: Any, problem: Any) -> None:
    path = f"/applications/{house.apply().id}/documents"
    problem(by("subscriber")("POST", path, json={"kind": "request-form"}), 415, "unsupported-media-type")
    problem(by("subscriber")("POST", path, data=b"%PDF", content_type="application/pdf"), 415)
    problem(by("subscriber")("POST", path, data=b"--x", content_type="multipart/form-data"), (400, 422))


def test_staff_say_why_and_subscribers_may_leave_the_body_out(house: Any, by: Any, problem: Any) -> None:
    certificate, operator, subscriber = house.issued(), by("operator"), by("subscriber")
    path = f"/certificates/{certificate.id}"
    refused = operator("POST", f"{path}/hold", version=certificate.version)
    problem(refused, 422, "invalid-input")
    assert "because" in refused.json["fields"]
    too_long = {"because": "x" * 501}
    problem(operator("POST", f"{path}/hold", version=certificate.version, json=too_long), 422)
    assert subscriber("POST", f"{path}/hold", version=certificate.version).json["state"] == "held"


def test_staff_say_why_they_hold_for_a_lost_token_and_release_a_found_one(house: Any, by: Any, problem: Any) -> None:
    operator, path = by("operator"), f"/certificates/{house.issued().id}"
    problem(operator("POST", f"{path}/replace", json={"circumstance": "lost"}), 422, "invalid-input")
    problem(operator("POST", f"{path}/replace", json=["lost"]), 400)
    assert operator("POST", f"{path}/replace", json={"circumstance": "lost", "because": "a test"}).status_code == 201
    problem(operator("POST", f"{path}/found"), 422, "invalid-input")
    assert operator("POST", f"{path}/found", json={"because": "a test"}).json["state"] == "issued"


def test_nobody_revokes_in_bulk_as_replacements(house: Any, by: Any, problem: Any) -> None:
    operator, path = by("operator"), f"/certificates/{house.issued().id}"
    compromised = {"circumstance": "compromised", "because": "a test"}
    for _ in range(30):
        assert operator("POST", f"{path}/replace", json=compromised).status_code == 201
    problem(operator("POST", f"{path}/replace", json=compromised), 429, "rate-limited")
    assert operator("POST", f"{path}/replace", json={"circumstance": "broken"}).status_code == 201


def test_nobody_revokes_in_bulk(house: Any, by: Any, problem: Any) -> None:
    certificate, operator, reviewer = house.issued(), by("operator"), by("reviewer")
    path = f"/certificates/{certificate.id}"
    for _ in range(30):
        problem(operator("POST", f"{path}/revoke", version=9, json={"reason": "superseded", "because": "a test"}), 412)
    problem(
        operator("POST", f"{path}/revoke", version=9, json={"reason": "superseded", "because": "a test"}),
        429,
        "rate-limited",
    )
    problem(reviewer("POST", f"{path}/revoke", version=9, json={"reason": "superseded", "because": "a test"}), 412)
    assert operator("POST", f"{path}/hold", version=certificate.version, json={"because": "a test"}).status_code == 200


def test_a_report_code_is_not_guessed_by_the_thousand(by: Any, problem: Any) -> None:
    nobody = by(None)
    for _ in range(5):
        problem(nobody("POST", "/loss-reports", json={"code": "AAAA-BBBB-CCCC"}), 404)
    refused = nobody("POST", "/loss-reports", json={"code": "AAAA-BBBB-CCCC"})
    problem(refused, 429, "rate-limited")
    assert int(refused.headers["Retry-After"]) > 0


def test_uploads_are_counted_by_account_whatever_address_they_come_from(house: Any, by: Any, problem: Any) -> None:
    subscriber, stranger = by("subscriber"), by("stranger")
    path = f"/applications/{UUID(int=7)}/documents"

    def upload(caller: Any, address: str) -> Any:
        form = {"kind": "request-form", "file": (io.BytesIO(b"%PDF"), "form.pdf")}
        return caller("POST", path, data=form, environ_overrides={"REMOTE_ADDR": address})

    for number in range(60):
        problem(upload(subscriber, f"192.0.2.{number}"), 404)
    problem(upload(subscriber, "192.0.2.99"), 429, "rate-limited")
    problem(upload(stranger, "192.0.2.99"), 404)
