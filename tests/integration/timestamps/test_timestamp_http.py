"""Time stamps over HTTP: content types, refusals, API tokens and limits (RFC 3161 §3.4)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from api.timestamps import TimestampApplication
from ca_core.domain.access import Permission
from ca_core.domain.errors import KeyUnavailable
from ca_core.domain.pki_failure import PkiFailure
from ca_core.x509.timestamp import MAX_REQUEST_SIZE, TimestampResponse
from tests.integration.timestamps.conftest import CONTENT, Office, request_for

QUERY = "application/timestamp-query"


@pytest.fixture
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


def client(office: Office, *, ask_token: bool = False, per_minute: int = 0) -> Client:
    tokens = office.house.services.tokens if ask_token else None
    return Client(TimestampApplication(office.service(), tokens, per_minute=per_minute))


def post(web: Client, body: bytes = b"", **options: Any) -> TestResponse:
    return web.post("/tsa", data=body or request_for().der, **{"content_type": QUERY, **options})


def test_a_request_is_answered_by_a_token_that_nobody_keeps(office: Office) -> None:
    answer = post(client(office))
    assert (answer.status_code, answer.content_type) == (200, "application/timestamp-reply")
    assert answer.headers["Cache-Control"] == "no-store"
    assert office.house.services.timestamp_archive.verify(answer.data, CONTENT).valid


@pytest.mark.parametrize("body", [b"no DER", request_for(policy="1.2.3").der])
def test_what_the_authority_refuses_is_an_answer_too(office: Office, body: bytes) -> None:
    answer = post(client(office), body)
    assert answer.status_code == 200
    assert TimestampResponse.parse(answer.data).failures <= {PkiFailure.BAD_DATA_FORMAT, PkiFailure.UNACCEPTED_POLICY}


@pytest.mark.parametrize("error", [KeyUnavailable("the token was pulled out"), RuntimeError("a fault")])
def test_trouble_inside_is_a_system_failure_that_tells_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(office.service(), "stamp", fail)
    read = TimestampResponse.parse(post(client(office)).data)
    assert read.failures == {PkiFailure.SYSTEM_FAILURE}
    assert str(error) not in read.text


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "GET"}, 405),
        ({"content_type": "application/json"}, 415),
        ({"path": "/tsa/more"}, 404),
        ({"data": bytes(MAX_REQUEST_SIZE + 1)}, 413),
    ],
)
def test_what_is_not_the_protocol_s_http_is_refused(office: Office, options: dict[str, Any], status: int) -> None:
    sent = {"path": "/tsa", "method": "POST", "data": request_for().der, "content_type": QUERY, **options}
    assert client(office).open(**sent).status_code == status


def test_where_a_token_is_asked_for_only_who_may_stamp_gets_one(office: Office) -> None:
    house, web = office.house, client(office, ask_token=True)
    assert post(web).status_code == 401
    assert post(web, headers={"Authorization": "Bearer nonsense"}).status_code == 401
    for scope, status in ((Permission.CERTIFICATE_VIEW, 403), (Permission.TIMESTAMP_ISSUE, 200)):
        _, token = house.services.tokens.create(house.subscriber, label="x", scopes=frozenset({scope}), days=1)
        assert post(web, headers={"Authorization": f"Bearer {token}"}).status_code == status
    assert [row.requested_by for row in office.rows()] == [house.subscriber.id]


def test_one_address_gets_so_many_a_minute(office: Office) -> None:
    web = client(office, per_minute=2)
    assert [post(web).status_code for _ in range(3)] == [200, 200, 429]
    assert post(web, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200
