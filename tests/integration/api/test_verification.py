"""The verdict on a certificate over the API."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import Permission
from ca_core.x509.pem import to_pem
from tests.unit.validation.conftest import certificate, der

ADDRESS = "/certificates/verify"


def test_a_certificate_of_ours_has_its_verdict(house: Any, by: Any) -> None:
    issued = house.issued()
    ask = by("support")
    answer = ask("POST", ADDRESS, json={"certificate": to_pem(issued.der)})
    assert answer.status_code == 200
    assert (answer.json["valid"], answer.json["reason"], len(answer.json["chain"])) == (True, "valid", 3)
    house.services.revocation.hold(house.officer, issued.id, because="asked by telephone")
    again = ask("POST", ADDRESS, json={"certificate": to_pem(issued.der)})
    assert (again.status_code, again.json["valid"], again.json["reason"]) == (200, False, "on-hold")
    lenient = ask("POST", ADDRESS, json={"certificate": to_pem(issued.der), "hold_is_revoked": False})
    assert lenient.json["valid"] is True


def test_what_is_asked_is_heeded(house: Any, by: Any) -> None:
    issued = house.issued()
    pem = to_pem(issued.der)
    for asked, reason in [
        ({"at": (issued.not_before - timedelta(days=1)).isoformat()}, "not-yet-valid"),
        ({"explicit_policy": True, "inhibit_any_policy": True}, "certificate-policy"),
        ({"key_usage": ["cRLSign"]}, "key-usage"),
        ({"extended_key_usage": ["1.3.6.1.5.5.7.3.8"]}, "key-usage"),
    ]:
        answer = by("support")("POST", ADDRESS, json={"certificate": pem, **asked})
        assert answer.json["reason"] == reason, asked


def test_a_certificate_of_others_has_its_verdict(by: Any) -> None:
    leaf = certificate("leaf", "middle", ca=False)
    body = {
        "certificate": to_pem(der(leaf)),
        "intermediates": [to_pem(der(certificate("middle", "root")))],
        "lists": [],
    }
    answer = by("support")("POST", ADDRESS, json=body)
    assert (answer.json["reason"], answer.json["certificate"]) == ("no-path", 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"certificate": "nonsense"},
        {"certificate": "x", "at": "2026-11-24T00:00:00"},
        {"certificate": "x", "key_usage": ["everything"]},
        {"certificate": "x", "certificate_policies": ["policy"]},
    ],
)
def test_what_is_no_question_is_refused(by: Any, problem: Any, body: dict[str, Any]) -> None:
    problem(by("support")("POST", ADDRESS, json=body), 422)


def test_a_list_that_is_none_is_refused(house: Any, by: Any, problem: Any) -> None:
    body = {"certificate": to_pem(house.issued().der), "lists": [base64.b64encode(b"nonsense").decode()]}
    problem(by("support")("POST", ADDRESS, json=body), 422, "malformed-der")


def test_a_token_without_the_right_has_nothing_judged(by: Any, problem: Any) -> None:
    narrow = by("support", frozenset({Permission.CERTIFICATE_VIEW}))
    problem(narrow("POST", ADDRESS, json={"certificate": "x"}), 403, "not-permitted")
