"""Browser sessions: random outside, a digest inside, and over in time."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.errors import TryAgain


def test_the_token_has_256_bits_and_only_its_digest_is_stored(desk: Any) -> None:
    anna = desk.person("anna")
    session, token = desk.sessions.log_in(None, anna)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert session.token_sha256 == hashlib.sha256(token.encode()).digest()
    assert token not in repr(session)
    assert desk.sessions.log_in(None, anna)[1] != token


def test_a_session_is_found_by_its_token_with_its_data(desk: Any) -> None:
    anna = desk.person("anna")
    session, token = desk.sessions.log_in(None, anna)
    desk.sessions.save(session, data={"language": "ru"})
    loaded = desk.sessions.load(token)
    assert loaded.id == session.id
    assert loaded.data == {"language": "ru"}
    assert loaded.account == anna.id
    assert desk.accounts.session_account(loaded).id == anna.id


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 100_000, "\x00"], ids=["empty", "x", "half", "long", "nul"])
def test_any_other_token_finds_nothing(desk: Any, token: str) -> None:
    desk.sessions.log_in(None, desk.person("anna"))
    assert desk.sessions.load(token) is None


def test_logging_in_changes_the_token_and_kills_the_one_before(desk: Any) -> None:
    anna = desk.person("anna")
    before, planted = desk.sessions.log_in(None, anna)
    session, token = desk.sessions.log_in(before, anna)
    assert token != planted
    assert desk.sessions.load(planted) is None
    assert desk.sessions.load(token).account == anna.id
    assert session.authenticated_at == desk.clock()
    assert desk.accounts.session_account(session).id == anna.id


@pytest.mark.parametrize(
    ("role", "idle"), [(Role.SUBSCRIBER, timedelta(hours=8)), (Role.OPERATOR, timedelta(minutes=30))]
)
def test_an_idle_session_ends(desk: Any, role: Role, idle: timedelta) -> None:
    _, token = desk.sessions.log_in(None, desk.person("somebody", role))
    desk.clock.advance(idle - timedelta(seconds=1))
    assert desk.sessions.load(token) is not None
    desk.clock.advance(idle)
    assert desk.sessions.load(token) is None


@pytest.mark.parametrize("role", [Role.SUBSCRIBER, Role.OPERATOR])
def test_a_session_in_constant_use_ends_after_twelve_hours(desk: Any, role: Role) -> None:
    _, token = desk.sessions.log_in(None, desk.person("somebody", role))
    for _ in range(12 * 3 - 1):
        desk.pass_time(minutes=20)
        session = desk.sessions.load(token)
        assert session is not None
        desk.sessions.save(session, data={"n": 1})
    desk.pass_time(minutes=20)
    assert desk.sessions.load(token) is None


def test_reading_within_a_minute_writes_nothing(desk: Any) -> None:
    session, token = desk.sessions.log_in(None, desk.person("anna"))
    desk.pass_time(seconds=59)
    assert desk.sessions.load(token).seen_at == session.seen_at
    desk.pass_time(seconds=1)
    assert desk.sessions.load(token).seen_at == desk.clock()


def test_a_session_that_was_ended_stays_ended_whatever_a_late_request_saves(desk: Any) -> None:
    session, token = desk.sessions.log_in(None, desk.person("anna"))
    desk.sessions.end(session)
    desk.sessions.save(session, data={"late": True})
    assert desk.sessions.load(token) is None
    assert desk.actions()[-1] == "account.logged-out"


def test_logging_out_twice_is_one_log_out(desk: Any) -> None:
    session, _ = desk.sessions.log_in(None, desk.person("anna"))
    desk.sessions.end(session)
    desk.sessions.end(session)
    assert desk.actions().count("account.logged-out") == 1


def test_ending_one_session_leaves_the_others(desk: Any) -> None:
    anna = desk.person("anna")
    first, _ = desk.sessions.log_in(None, anna)
    _, second = desk.sessions.log_in(None, anna)
    desk.sessions.end(first)
    assert desk.sessions.load(second) is not None


def test_sessions_that_ran_out_can_be_swept_away(desk: Any) -> None:
    anna = desk.person("anna")
    desk.sessions.log_in(None, anna)
    desk.pass_time(hours=9)
    _, alive = desk.sessions.log_in(None, anna)
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.accounts.delete_sessions(expired_at=tx.now) == 1
    assert desk.sessions.load(alive) is not None


def test_a_session_that_cannot_be_touched_is_still_one(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session, token = desk.sessions.log_in(None, desk.person("anna"))
    desk.pass_time(minutes=2)

    def full(*_: object) -> Any:
        raise TryAgain("the disk is full")

    monkeypatch.setattr(desk.transactions, "begin", full)
    assert desk.sessions.load(token) == session
