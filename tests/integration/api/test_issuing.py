"""The short way to a certificate answers as the long one does, or leaves the answer to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from api import issuing as module
from api.issuing import Answer, Issuing
from ca_core.domain.access import Permission
from ca_core.domain.certificate import Certificate
from ca_core.services.issuance_order import Wanted

HOST = "ca.example.org"


@dataclass
class Way:
    """The short way, as the front uses it."""

    house: Any
    issuing: Issuing
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str, *scopes: Permission) -> str:
        actor = getattr(self.house, name)
        made: str = self.house.services.tokens.create(
            actor, label="test", scopes=frozenset(scopes) or actor.permissions, days=1
        )[1]
        return made

    def request(self, application: Any, token: str, **changes: Any) -> Any:
        headers = {
            "host": HOST,
            "authorization": f"Bearer {token}",
            "if-match": f'"{application.version}"',
            "content-length": "0",
            **changes.pop("headers", {}),
        }
        fields = {
            "method": "POST",
            "raw_path": f"/api/v1/applications/{application.id}/issue".encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value is not None],
        }
        return {**fields, **changes}

    def ask(self, *requests: Any) -> Sequence[Answer | None]:
        async def all_at_once() -> Sequence[Answer | None]:
            async def one(request: Any) -> Answer | None:
                asked = self.issuing.asked(request)
                return None if asked is None else await self.issuing.answer(asked)

            return await asyncio.gather(*map(one, requests))

        return asyncio.run(all_at_once())


@pytest.fixture
def way(house: Any) -> Way:
    return Way(house, Issuing(house.services.issuance, house.services.tokens, hosts={HOST}))


def test_both_ways_give_the_same_answer(way: Way, by: Any, house: Any) -> None:
    application = house.ready()
    (short,) = way.ask(way.request(application, way.token("subscriber")))
    long = by("subscriber")("POST", f"/applications/{application.id}/issue", version=application.version)
    assert short is not None
    status, headers, body = short
    assert status == long.status_code == 200
    for name, value in headers:
        assert long.headers[name] == value or name == "content-length"  # spaces
    assert long.json == json.loads(body)


def test_requests_at_the_same_time_are_issued_together(way: Way, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    applications, token = [house.ready() for _ in range(4)], way.token("subscriber")
    batches: list[int] = []
    genuine = house.services.issuance.issue_all

    def counting(wanted: Sequence[Wanted]) -> Any:
        batches.append(len(wanted))
        return genuine(wanted)

    monkeypatch.setattr(house.services.issuance, "issue_all", counting)
    answers = way.ask(*(way.request(one, token) for one in applications))
    assert [answer and answer[0] for answer in answers] == [200] * 4
    assert batches == [4]


ELSEWHERE: dict[str, Callable[[Way, Any], Any]] = {
    "a wrong token": lambda way, one: way.request(one, "pkt_none"),
    "no token": lambda way, one: way.request(one, "", headers={"authorization": None}),
    "another scheme": lambda way, one: way.request(one, "", headers={"authorization": "Basic YTpi"}),
    "a token that may not": lambda way, one: way.request(one, way.token("subscriber", Permission.CERTIFICATE_VIEW)),
    "somebody who may not see it": lambda way, one: way.request(one, way.token("stranger")),
    "no version": lambda way, one: way.request(one, way.token("subscriber"), headers={"if-match": None}),
    "an old version": lambda way, one: way.request(one, way.token("subscriber"), headers={"if-match": '"1"'}),
    "no version at all": lambda way, one: way.request(one, way.token("subscriber"), headers={"if-match": "*"}),
    "an idempotency key": lambda way, one: way.request(
        one, way.token("subscriber"), headers={"idempotency-key": "mine"}
    ),
    "a body": lambda way, one: way.request(one, way.token("subscriber"), headers={"content-length": "2"}),
    "a body of unknown size": lambda way, one: way.request(
        one, way.token("subscriber"), headers={"content-length": None, "transfer-encoding": "chunked"}
    ),
    "a name that is not ours": lambda way, one: way.request(
        one, way.token("subscriber"), headers={"host": "elsewhere.example.org"}
    ),
    "no name": lambda way, one: way.request(one, way.token("subscriber"), headers={"host": None}),
    "a version said twice": lambda way, one: {
        **(request := way.request(one, way.token("subscriber"))),
        "headers": [*request["headers"], (b"if-match", b'"1"')],
    },
    "a query": lambda way, one: way.request(one, way.token("subscriber"), query_string=b"a=b"),
    "another method": lambda way, one: way.request(one, way.token("subscriber"), method="GET"),
    "another path": lambda way, one: way.request(
        one, way.token("subscriber"), raw_path=f"/api/v1/applications/{one.id}/issue/".encode()
    ),
    "an application that is not there": lambda way, one: way.request(
        one, way.token("subscriber"), raw_path=f"/api/v1/applications/{UUID(int=1)}/issue".encode()
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_unusual_or_refused_goes_the_long_way_and_nothing_is_issued(way: Way, house: Any, name: str) -> None:
    application = house.ready()
    assert way.ask(ELSEWHERE[name](way, application)) == [None]
    assert house.current(application).certificate is None


def test_a_revoked_token_opens_nothing_at_once(way: Way, house: Any) -> None:
    application, token = house.ready(), way.token("subscriber")
    house.services.tokens.revoke_all(house.administrator, house.subscriber.id)
    assert way.ask(way.request(application, token)) == [None]


def test_when_everything_fails_the_long_way_says_so(way: Way, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application, token = house.ready(), way.token("subscriber")

    def broken(_: object) -> Any:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(house.services.issuance, "issue_all", broken)
        assert way.ask(way.request(application, token)) == [None]
    (answer,) = way.ask(way.request(application, token))
    assert answer is not None, "and the next is served"
    assert answer[0] == 200


def test_when_too_many_wait_the_next_is_told_to_come_again(
    way: Way, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications, token = [house.ready() for _ in range(3)], way.token("subscriber")
    monkeypatch.setattr(module, "WAITING", 2)
    answers = way.ask(*(way.request(one, token) for one in applications))
    assert [answer and answer[0] for answer in answers] == [200, 200, 503]
    refusal = answers[2]
    assert refusal is not None
    assert dict(refusal[1])["retry-after"] == "1"


def test_who_hangs_up_keeps_nobody_waiting(way: Way, house: Any) -> None:
    first, second = house.ready(), house.ready()
    token = way.token("subscriber")

    async def leave_and_ask() -> Any:
        asked = [way.issuing.asked(way.request(one, token)) for one in (first, second)]
        gone = asyncio.ensure_future(way.issuing.answer(asked[0]))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        stays = asyncio.ensure_future(way.issuing.answer(asked[1]))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    answer = asyncio.run(leave_and_ask())
    assert answer is not None
    assert answer[0] == 200
    assert isinstance(house.services.issuance.issue(house.subscriber, first.id), Certificate)
