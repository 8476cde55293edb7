"""The same request under the same key happens once and is answered the same."""

from __future__ import annotations

from typing import Any

import pytest

from ca_core.domain.access import Permission
from ca_core.domain.errors import Conflict, IdempotencyMismatch, TryAgain
from ca_core.domain.work import RememberedAnswer

FIRST, OTHER = bytes(32), bytes(31) + b"\x01"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: how they lock and count is not the same."""
    return str(request.param)


def test_the_first_request_works_and_the_next_gets_its_answer(desk: Any) -> None:
    anna = desk.person("anna").actor()
    assert desk.idempotency.begin(anna, "key", FIRST) is None
    desk.idempotency.finish(anna, "key", status=201, body='{"number": "2026-000001"}')
    answer = desk.idempotency.begin(anna, "key", FIRST)
    assert (answer.status, answer.body) == (201, '{"number": "2026-000001"}')


def test_another_request_under_the_key_is_a_mismatch_before_and_after_the_answer(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    with pytest.raises(IdempotencyMismatch):
        desk.idempotency.begin(anna, "key", OTHER)
    desk.idempotency.finish(anna, "key", status=201, body="{}")
    with pytest.raises(IdempotencyMismatch):
        desk.idempotency.begin(anna, "key", OTHER)


def test_what_one_credential_was_answered_no_other_of_the_account_gets(desk: Any) -> None:
    anna = desk.person("anna").actor()
    wide, narrow = (
        desk.tokens.authenticate(desk.tokens.create(anna, label="t", scopes=scopes, days=1)[1])
        for scopes in (anna.permissions, frozenset({Permission.APPLICATION_VIEW}))
    )
    desk.idempotency.begin(wide, "key", FIRST)
    desk.idempotency.finish(wide, "key", status=201, body="pkt_secret")
    for other in (narrow, anna):
        with pytest.raises(IdempotencyMismatch):
            desk.idempotency.begin(other, "key", FIRST)
    assert desk.idempotency.begin(wide, "key", FIRST).body == "pkt_secret"


def test_while_the_first_is_worked_on_the_second_waits_and_after_a_crash_it_is_told(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    desk.pass_time(minutes=5)
    with pytest.raises(TryAgain):
        desk.idempotency.begin(anna, "key", FIRST)
    desk.pass_time(seconds=1)
    with pytest.raises(Conflict):
        desk.idempotency.begin(anna, "key", FIRST)


def test_a_request_that_came_to_nothing_may_be_sent_again(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    desk.idempotency.abandon(anna, "key")
    assert desk.idempotency.begin(anna, "key", OTHER) is None


def test_two_accounts_may_use_one_key(desk: Any) -> None:
    anna, boris = desk.person("anna").actor(), desk.person("boris").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    desk.idempotency.finish(anna, "key", status=201, body="hers")
    assert desk.idempotency.begin(boris, "key", OTHER) is None
    desk.idempotency.finish(boris, "key", status=201, body="his")
    assert desk.idempotency.begin(anna, "key", FIRST).body == "hers"


def test_an_answer_is_kept_for_a_day(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    desk.idempotency.finish(anna, "key", status=201, body="{}")
    desk.pass_time(hours=24)
    assert desk.idempotency.begin(anna, "key", FIRST) is not None
    desk.pass_time(seconds=1)
    assert desk.idempotency.begin(anna, "key", OTHER) is None


def test_an_answer_lies_sealed_since_it_may_hold_a_new_token(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.begin(anna, "key", FIRST)
    desk.idempotency.finish(anna, "key", status=201, body="pkt_secret")
    with desk.transactions.begin(anna) as tx:
        row = tx.accounts.remember(
            RememberedAnswer(account=anna.id, key="key", request_sha256=FIRST, status=0, body="", created_at=tx.now)
        )
    assert "pkt_secret" not in row.body


def test_an_answer_that_nobody_waits_for_leaves_nothing(desk: Any) -> None:
    anna = desk.person("anna").actor()
    desk.idempotency.finish(anna, "key", status=201, body="{}")
    assert desk.idempotency.begin(anna, "key", FIRST) is None
