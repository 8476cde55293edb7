"""API tokens: never more than their account, never longer than said, never shown again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Permission, Role
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted, StaleVersion

VIEW = frozenset({Permission.APPLICATION_VIEW})
MANAGE = VIEW | {Permission.TOKEN_MANAGE}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: how they lock is not the same."""
    return str(request.param)


def is_open(desk: Any, secret: str) -> bool:
    try:
        desk.tokens.authenticate(secret)
    except NotAuthenticated:
        return False
    return True


def made(desk: Any, actor: Any, *, days: int = 1, scopes: frozenset[Permission] = MANAGE) -> tuple[Any, str]:
    token, secret = desk.tokens.create(actor, label="t", scopes=scopes, days=days)
    return token, secret


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
    narrow = desk.tokens.authenticate(made(desk, desk.person("anna").actor())[1])
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


@pytest.mark.parametrize(
    "attempt",
    [
        lambda desk, actor, _: desk.tokens.create(actor, label="t", scopes=VIEW, days=1),
        lambda desk, actor, _: desk.tokens.list(actor),
        lambda desk, actor, wide: desk.tokens.revoke(actor, wide),
    ],
    ids=["make", "list", "revoke"],
)
def test_a_token_without_that_right_manages_no_tokens(desk: Any, attempt: Callable[[Any, Any, UUID], Any]) -> None:
    anna = desk.person("anna").actor()
    wide, secret = made(desk, anna)
    narrow = desk.tokens.authenticate(made(desk, anna, scopes=VIEW)[1])
    before = desk.actions()
    with pytest.raises(NotPermitted, match=r"token\.manage.* this API token does not give"):
        attempt(desk, narrow, wide.id)
    assert desk.actions() == before
    assert is_open(desk, secret)


def test_a_token_made_by_a_token_ends_no_later_than_its_maker(desk: Any) -> None:
    maker, secret = made(desk, desk.person("anna").actor(), days=2)
    desk.pass_time(hours=1)
    by_token = desk.tokens.authenticate(secret)
    longer, _ = made(desk, by_token, days=366)
    shorter, _ = made(desk, by_token, days=1)
    assert (longer.made_by, longer.expires_at) == (maker.id, maker.expires_at)
    assert shorter.expires_at == desk.clock() + timedelta(days=1)
    assert maker.made_by is None
    assert desk.records()[-1].details["made_by"] == str(maker.id)


def test_a_revoked_token_takes_with_it_what_it_made_and_what_that_made_and_nothing_else(desk: Any) -> None:
    anna = desk.person("anna").actor()
    first, first_secret = made(desk, anna)
    _, second_secret = made(desk, desk.tokens.authenticate(first_secret))
    _, third_secret = made(desk, desk.tokens.authenticate(second_secret))
    _, other_secret = made(desk, anna)
    desk.tokens.revoke(anna, first.id)
    assert [is_open(desk, one) for one in (first_secret, second_secret, third_secret, other_secret)] == [
        False,
        False,
        False,
        True,
    ]
    assert desk.actions().count("token.revoked") == 3


def test_a_token_that_was_let_in_and_then_revoked_makes_no_other(desk: Any) -> None:
    anna = desk.person("anna").actor()
    token, secret = made(desk, anna)
    let_in = desk.tokens.authenticate(secret)
    desk.tokens.revoke(anna, token.id)
    with pytest.raises(NotAuthenticated):
        made(desk, let_in)
    assert len(desk.tokens.list(anna)) == 1


def test_a_revocation_that_does_not_know_of_a_token_made_meanwhile_fails(desk: Any) -> None:
    anna = desk.person("anna").actor()
    token, secret = made(desk, anna)
    made(desk, desk.tokens.authenticate(secret))
    with pytest.raises(StaleVersion), desk.transactions.begin(anna) as tx:
        tx.accounts.replace_token(replace(token, revoked_at=tx.now))


def test_an_administrator_revokes_every_token_of_an_account_and_its_owner_is_told(desk: Any) -> None:
    administrator, anna = desk.administrator(), desk.person("anna")
    secrets = [made(desk, anna.actor())[1] for _ in range(2)]
    _, others = made(desk, desk.person("boris").actor())
    assert len(desk.tokens.in_use(administrator, anna.id)) == 2
    assert desk.tokens.revoke_all(administrator, anna.id) == 2
    assert [is_open(desk, one) for one in (*secrets, others)] == [False, False, True]
    assert list(desk.tokens.in_use(administrator, anna.id)) == []
    assert desk.told(anna) == ["tokens-revoked"]
    assert desk.records()[-1].actor == administrator.id
    assert desk.tokens.revoke_all(administrator, anna.id) == 0
    assert desk.told(anna) == ["tokens-revoked"]
    with pytest.raises(NotFound):
        desk.tokens.revoke_all(administrator, uuid4())


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.SYSTEM)])
def test_only_administrators_revoke_the_tokens_of_others(desk: Any, role: Role) -> None:
    anna, actor = desk.person("anna"), desk.person("somebody", role).actor()
    _, secret = made(desk, anna.actor())
    with pytest.raises(NotPermitted):
        desk.tokens.revoke_all(actor, anna.id)
    if role is not Role.AUDITOR:
        with pytest.raises(NotPermitted):
            desk.tokens.in_use(actor, anna.id)
    assert is_open(desk, secret)
