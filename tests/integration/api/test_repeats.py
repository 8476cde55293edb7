"""Idempotency-Key: a request sent again happens once."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from ca_core.domain.access import Permission


def picture(shade: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (60, 60), (shade, 255, 255)).save(out, "PNG")
    return out.getvalue()


def test_a_repeated_request_happens_once(house: Any, by: Any, problem: Any) -> None:
    subscriber = by("subscriber")
    body = {"profile": "private/tls-client", "subject": {"CN": "c"}, "centre": str(house.centre)}
    key = {"Idempotency-Key": "abc"}
    first = subscriber("POST", "/applications", json=body, headers=key)
    again = subscriber("POST", "/applications", json=body, headers=key)
    assert again.status_code == 201
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(subscriber("GET", "/applications").json["items"]) == 1
    other = {**body, "subject": {"CN": "other"}}
    problem(subscriber("POST", "/applications", json=other, headers=key), 409, "idempotency-mismatch")
    assert by("stranger")("POST", "/applications", json=body, headers=key).json["id"] != first.json["id"]


def test_requests_with_one_key_at_once_happen_once(house: Any, by: Any) -> None:
    callers = [by("subscriber") for _ in range(4)]
    body = {"profile": "private/tls-client", "subject": {"CN": "c"}, "centre": str(house.centre)}

    def send(caller: Any) -> Any:
        return caller("POST", "/applications", json=body, headers={"Idempotency-Key": "at-once"})

    with ThreadPoolExecutor(len(callers)) as pool:
        answers = list(pool.map(send, callers))
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
    assert len(house.services.intake.list(house.subscriber).items) == 1
    assert send(callers[0]).headers["Idempotent-Replayed"] == "true"


def test_a_failure_on_our_side_is_not_remembered(house: Any, by: Any, problem: Any) -> None:
    application = house.ready()
    subscriber, key = by("subscriber"), {"Idempotency-Key": "later"}
    keys = house.program.config.data / "keys"
    away = keys.rename(keys.with_name("away"))
    path = f"/applications/{application.id}/issue"
    problem(subscriber("POST", path, version=application.version, headers=key), 503, "key-missing")
    away.rename(keys)
    answer = subscriber("POST", path, version=application.version, headers=key)
    assert answer.status_code == 200, answer.text
    assert "Idempotent-Replayed" not in answer.headers


def test_a_narrow_token_is_not_given_the_secret_that_a_wide_one_was(by: Any, problem: Any) -> None:
    wide, narrow = by("subscriber"), by("subscriber", frozenset({Permission.APPLICATION_VIEW}))
    body = {"label": "x", "scopes": ["application.view", "certificate.revoke"]}
    key = {"Idempotency-Key": "tk"}
    made = wide("POST", "/tokens", json=body, headers=key)
    assert made.status_code == 201
    refused = narrow("POST", "/tokens", json=body, headers=key)
    problem(refused, 409, "idempotency-mismatch")
    assert made.json["token"] not in refused.text
    assert wide("POST", "/tokens", json=body, headers=key).json["token"] == made.json["token"]


def test_a_token_that_may_not_manage_tokens_leaves_them_alone(by: Any, problem: Any) -> None:
    wide, narrow = by("subscriber"), by("subscriber", frozenset({Permission.APPLICATION_VIEW}))
    (one,) = [one for one in wide("GET", "/tokens").json["items"] if "token.manage" in one["scopes"]]
    body = {"label": "x", "scopes": ["application.view"], "days": 366}
    problem(narrow("POST", "/tokens", json=body), 403, "not-permitted")
    problem(narrow("GET", "/tokens"), 403, "not-permitted")
    problem(narrow("DELETE", f"/tokens/{one['id']}"), 403, "not-permitted")
    assert wide("GET", "/me").status_code == 200
    made = wide("POST", "/tokens", json=body).json
    assert (made["made_by"], made["expires_at"]) == (one["id"], one["expires_at"])


def test_an_upload_sent_again_happens_once_whatever_its_boundary(house: Any, by: Any, problem: Any) -> None:
    subscriber, application = by("subscriber"), house.apply()
    first_scan, other_scan = picture(255), picture(9)

    def upload(boundary: str, *, kind: str = "request-form", name: str = "a.png", data: bytes = first_scan) -> Any:
        stream, length, _ = stream_encode_multipart(
            {"kind": kind, "file": FileStorage(io.BytesIO(data), filename=name)}, boundary=boundary
        )
        return subscriber(
            "POST",
            f"/applications/{application.id}/documents",
            input_stream=stream,
            content_length=length,
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Idempotency-Key": "up"},
        )

    first = upload("first-boundary")
    assert first.status_code == 201, first.text
    again = upload("second-boundary")
    assert (again.status_code, again.json["id"]) == (201, first.json["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(house.services.intake.get(house.subscriber, application.id).documents) == 1
    for other in ({"kind": "identity"}, {"name": "b.png"}, {"data": other_scan}):
        problem(upload("first-boundary", **other), 409, "idempotency-mismatch")


def test_a_refused_version_is_not_remembered_and_another_version_is_another_request(
    house: Any, by: Any, problem: Any
) -> None:
    application, subscriber = house.apply(), by("subscriber")
    path, key = f"/applications/{application.id}/withdraw", {"Idempotency-Key": "K"}
    problem(subscriber("POST", path, headers=key), 428)
    problem(subscriber("POST", path, version=99, headers=key), 412)
    version = house.current(application).version
    done = subscriber("POST", path, version=version, headers=key)
    assert done.status_code == 200, done.text
    assert "Idempotent-Replayed" not in done.headers
    assert subscriber("POST", path, version=version, headers=key).headers["Idempotent-Replayed"] == "true"
    problem(subscriber("POST", path, version=version + 1, headers=key), 409, "idempotency-mismatch")
    problem(subscriber("POST", path, headers=key), 409, "idempotency-mismatch")


@pytest.mark.parametrize("key", ["", "x" * 129, "\t", "ключ"])
def test_a_key_is_short_printable_text(by: Any, problem: Any, key: str) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    problem(by("subscriber")("POST", "/tokens", json={"label": "x", "scopes": []}, headers=headers), 422)
