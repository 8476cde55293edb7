"""API tokens: never more than their account, never longer than said, never shown again."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Permission, Role
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted

VIEW = frozenset({Permission.APPLICATION_VIEW})


def test_a_token_acts_as_its_account_within_its_scopes(desk: Any) -> None:
    anna = desk.person("anna")
    token, secret = desk.tokens.create(anna.actor(), label="script", scopes=VIEW, days=1)
    assert secret.startswith("pkt_")
    assert token.token_sha256 == hashlib.sha256(secret.encode()).digest()
    actor = desk.tokens.authenticate(secret)
    assert actor.id == anna.id
    assert actor.permissions == VIEW
    assert secret not in repr(desk.records())


def test_a_token_gets_no_right_that_its_maker_lacks(desk: Any) -> None:
    anna = desk.person("anna").actor()
    with pytest.raises(NotPermitted):
        desk.tokens.create(anna, label="t", scopes=VIEW | {Permission.CERTIFICATE_UNHOLD}, days=1)


def test_a_token_makes_no_token_with_more_rights_than_itself(desk: Any) -> None:
    secret = desk.tokens.create(desk.person("anna").actor(), label="t", scopes=VIEW, days=1)[1]
    narrow = desk.tokens.authenticate(secret)
    assert desk.tokens.create(narrow, label="same", scopes=VIEW, days=1)
    with pytest.raises(NotPermitted):
        desk.tokens.create(narrow, label="more", scopes=frozenset({Permission.APPLICATION_EDIT}), days=1)


def test_rights_taken_from_the_account_are_gone_from_its_tokens(desk: Any) -> None:
    rita = desk.person("rita", Role.REVIEWER)
    scopes = frozenset({Permission.APPLICATION_APPROVE, Permission.APPLICATION_VIEW})
    secret = desk.tokens.create(rita.actor(), label="t", scopes=scopes, days=1)[1]
    desk.accounts.change_roles(SYSTEM_ACTOR, rita.id, roles={Role.SUPPORT}, centres=())
    assert desk.tokens.authenticate(secret).permissions == VIEW


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": frozenset()}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"label": " "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\nb"}, "label"),
    ],
    ids=["no scope", "no day", "too many days", "no label", "long label", "two lines"],
)
def test_a_token_is_made_only_with_what_is_right(desk: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.tokens.create(desk.person("anna").actor(), **{"label": "t", "scopes": VIEW, "days": 1, **changes})
    assert set(caught.value.fields) == {field}


def test_the_machines_owner_has_no_tokens(desk: Any) -> None:
    with pytest.raises(NotPermitted):
        desk.tokens.create(SYSTEM_ACTOR, label="t", scopes=VIEW, days=1)
    assert list(desk.tokens.list(SYSTEM_ACTOR)) == []


def test_a_token_ends_on_its_day(desk: Any) -> None:
    secret = desk.tokens.create(desk.person("anna").actor(), label="t", scopes=VIEW, days=1)[1]
    desk.pass_time(hours=23, minutes=59)
    desk.tokens.authenticate(secret)
    desk.pass_time(minutes=1)
    with pytest.raises(NotAuthenticated):
        desk.tokens.authenticate(secret)


def test_a_revoked_token_opens_nothing_and_stays_revoked(desk: Any) -> None:
    anna = desk.person("anna").actor()
    token, secret = desk.tokens.create(anna, label="t", scopes=VIEW, days=1)
    revoked = desk.tokens.revoke(anna, token.id)
    assert revoked.revoked_at == desk.clock()
    with pytest.raises(NotAuthenticated):
        desk.tokens.authenticate(secret)
    desk.pass_time(minutes=1)
    assert desk.tokens.revoke(anna, token.id) == revoked
    assert desk.actions().count("token.revoked") == 1


def test_nobody_sees_or_revokes_anothers_token(desk: Any) -> None:
    anna, boris = desk.person("anna").actor(), desk.person("boris").actor()
    token, secret = desk.tokens.create(anna, label="t", scopes=VIEW, days=1)
    assert [one.id for one in desk.tokens.list(anna)] == [token.id]
    assert list(desk.tokens.list(boris)) == []
    for id in (token.id, uuid4()):
        with pytest.raises(NotFound):
            desk.tokens.revoke(boris, id)
    assert desk.tokens.authenticate(secret)


@pytest.mark.parametrize(
    "token", ["", "pkt_", "pkt_" + "A" * 43, "\ud800", "pkt_\x00", "x" * 100_000], ids=lambda text: ascii(text)[:12]
)
def test_any_other_token_opens_nothing_in_the_same_words(desk: Any, token: str) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        desk.tokens.authenticate(token)
    assert caught.value.detail == "the API token is unknown, expired or revoked; make a new one"
