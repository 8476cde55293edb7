"""Idempotency-Key: a request sent again happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


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


@pytest.mark.parametrize("key", ["", "x" * 129, "\t", "ключ"])
def test_a_key_is_short_printable_text(by: Any, problem: Any, key: str) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    problem(by("subscriber")("POST", "/tokens", json={"label": "x", "scopes": []}, headers=headers), 422)
