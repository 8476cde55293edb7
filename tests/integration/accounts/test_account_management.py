"""Who makes, changes and closes accounts and service centres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pyotp
import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Permission, Role
from ca_core.domain.errors import Duplicate, InvalidInput, NotAuthenticated, NotFound, NotPermitted, StaleVersion

PASSWORD = "correct horse battery staple"
OTHERS = [role for role in Role if role not in (Role.ADMINISTRATOR, Role.SYSTEM)]


def test_staff_make_an_account_with_a_first_password_of_its_own(desk: Any) -> None:
    centre = desk.accounts.create_centre(SYSTEM_ACTOR, code="MSK-01", name="Москва")
    account, password = desk.accounts.create(
        desk.administrator(),
        email="Oleg@example.org",
        name="Oleg",
        roles={Role.SUPPORT},
        centres={centre.id},
    )
    assert len(password) == 20
    entered = desk.accounts.log_in(email="oleg@example.org", password=password, source="203.0.113.5")
    assert entered.id == account.id
    assert entered.centres == {centre.id}
    assert desk.records()[-2].details == {"roles": ["support"], "centres": [str(centre.id)]}


def test_two_first_passwords_differ(desk: Any) -> None:
    made = {
        desk.accounts.create(SYSTEM_ACTOR, email=f"{name}@example.org", name=name, roles={Role.SUPPORT})[1]
        for name in ("a", "b")
    }
    assert len(made) == 2


def test_an_address_has_one_account(desk: Any) -> None:
    desk.person("anna")
    with pytest.raises(Duplicate):
        desk.accounts.create(SYSTEM_ACTOR, email="ANNA@example.org", name="Anna", roles={Role.SUPPORT})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"name": ""}, "name"),
        ({"roles": set()}, "roles"),
        ({"roles": {Role.SYSTEM}}, "roles"),
        ({"centres": {UUID(int=5)}}, "centres"),
        ({"password": "short"}, "password"),
        ({"language": "tlh"}, "language"),
    ],
    ids=["email", "name", "no role", "system", "centre", "password", "language"],
)
def test_an_account_is_made_only_with_what_is_right(desk: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.accounts.create(
            SYSTEM_ACTOR, **{"email": "a@example.org", "name": "A", "roles": {Role.SUPPORT}, **changes}
        )
    assert set(caught.value.fields) == {field}
    assert desk.records() == []


Attempt = Callable[[Any, Any, UUID], Any]
MANAGEMENT: dict[str, Attempt] = {
    "create": lambda accounts, actor, _: accounts.create(
        actor, email="x@example.org", name="X", roles={Role.SUBSCRIBER}
    ),
    "change roles": lambda accounts, actor, of: accounts.change_roles(actor, of, roles={Role.OPERATOR}, centres=()),
    "deactivate": lambda accounts, actor, of: accounts.deactivate(actor, of),
    "reactivate": lambda accounts, actor, of: accounts.reactivate(actor, of),
    "reset": lambda accounts, actor, of: accounts.reset_access(actor, of),
    "centre": lambda accounts, actor, _: accounts.create_centre(actor, code="X", name="X"),
}


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("what", MANAGEMENT)
def test_only_administrators_manage(desk: Any, role: Role, what: str) -> None:
    target = desk.person("target")
    actor = desk.person("somebody", role).actor()
    before = desk.actions()
    with pytest.raises(NotPermitted):
        MANAGEMENT[what](desk.accounts, actor, target.id)
    assert desk.actions() == before
    assert desk.stored(target) == target


@pytest.mark.parametrize("what", ["change roles", "deactivate", "reactivate", "reset"])
def test_no_administrator_changes_his_own_account(desk: Any, what: str) -> None:
    actor = desk.administrator()
    with pytest.raises(NotPermitted):
        MANAGEMENT[what](desk.accounts, actor, actor.id)


def test_new_roles_hold_at_once_and_end_the_log_ins_of_before(desk: Any) -> None:
    administrator, anna = desk.administrator(), desk.person("anna")
    _, session = desk.sessions.log_in(None, anna)
    changed, _ = desk.accounts.change_roles(administrator, anna.id, roles={Role.SUBSCRIBER, Role.AUDITOR}, centres=())
    assert changed.actor().may(Permission.AUDIT_VIEW)
    assert desk.sessions.load(session) is None
    record = desk.records()[-1]
    assert (record.action, record.actor, record.details["roles"]) == (
        "account.roles-changed",
        administrator.id,
        ["auditor", "subscriber"],
    )


@pytest.mark.parametrize("roles", [set(), {Role.SYSTEM}, {Role.OPERATOR, Role.SYSTEM}], ids=["none", "system", "both"])
def test_roles_that_nobody_gets_are_not_given(desk: Any, roles: set[Role]) -> None:
    anna = desk.person("anna")
    with pytest.raises(InvalidInput):
        desk.accounts.change_roles(SYSTEM_ACTOR, anna.id, roles=roles, centres=())
    with pytest.raises(InvalidInput):
        desk.accounts.change_roles(SYSTEM_ACTOR, anna.id, roles={Role.OPERATOR}, centres={UUID(int=5)})
    assert desk.stored(anna) == anna


def test_a_change_names_the_version_it_was_decided_on(desk: Any) -> None:
    anna = desk.person("anna")
    desk.accounts.change_roles(SYSTEM_ACTOR, anna.id, roles={Role.SUPPORT}, centres=(), version=anna.version)
    with pytest.raises(StaleVersion):
        desk.accounts.deactivate(SYSTEM_ACTOR, anna.id, version=anna.version)


def test_a_closed_account_opens_nothing_until_it_is_open_again(desk: Any) -> None:
    anna = desk.person("anna")
    session, cookie = desk.sessions.log_in(None, anna)
    token = desk.tokens.create(anna.actor(), label="t", scopes=frozenset({Permission.APPLICATION_VIEW}), days=1)[1]
    desk.accounts.deactivate(SYSTEM_ACTOR, anna.id)
    assert desk.sessions.load(cookie) is None
    assert desk.accounts.session_account(session) is None
    with pytest.raises(NotAuthenticated):
        desk.tokens.authenticate(token)
    with pytest.raises(NotAuthenticated):
        desk.accounts.log_in(email="anna@example.org", password=PASSWORD, source="203.0.113.5")
    desk.accounts.reactivate(SYSTEM_ACTOR, anna.id)
    assert desk.accounts.log_in(email="anna@example.org", password=PASSWORD, source="203.0.113.5").active


def test_who_lost_password_and_authenticator_gets_in_again_and_is_told(desk: Any) -> None:
    anna = desk.person("anna")
    secret, _ = desk.accounts.enrol_totp(anna.actor())
    desk.accounts.confirm_totp(anna.actor(), secret, pyotp.TOTP(secret).at(desk.clock()))
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            desk.accounts.log_in(email="anna@example.org", password="wrong horse battery", source="203.0.113.5")
    _, password = desk.accounts.reset_access(desk.administrator(), anna.id)
    entered = desk.accounts.log_in(email="anna@example.org", password=password, source="203.0.113.5")
    assert entered.totp_sealed is None
    assert desk.told(anna) == ["access-reset"]
    with pytest.raises(NotAuthenticated):
        desk.accounts.log_in(email="anna@example.org", password=PASSWORD, source="203.0.113.5")


def test_an_access_that_is_reset_leaves_no_api_token_of_before(desk: Any) -> None:
    anna, boris = desk.person("anna"), desk.person("boris")
    scopes = frozenset({Permission.APPLICATION_VIEW})
    token = desk.tokens.create(anna.actor(), label="t", scopes=scopes, days=1)[1]
    others = desk.tokens.create(boris.actor(), label="t", scopes=scopes, days=1)[1]
    with pytest.raises(StaleVersion):
        desk.accounts.reset_access(SYSTEM_ACTOR, anna.id, version=anna.version + 1)
    assert desk.tokens.authenticate(token)
    desk.accounts.reset_access(SYSTEM_ACTOR, anna.id)
    with pytest.raises(NotAuthenticated):
        desk.tokens.authenticate(token)
    assert desk.tokens.authenticate(others)


@pytest.mark.parametrize("role", [role for role in OTHERS if role is not Role.AUDITOR])
def test_accounts_are_seen_by_those_who_may(desk: Any, role: Role) -> None:
    other, actor = desk.person("other"), desk.person("somebody", role).actor()
    for attempt in (
        lambda: desk.accounts.list(actor),
        lambda: desk.accounts.known(actor, "other@example.org"),
        lambda: desk.accounts.get(actor, other.id),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert desk.accounts.get(actor, actor.id).id == actor.id


def test_administrators_and_auditors_find_accounts(desk: Any) -> None:
    desk.person("anna")
    for actor in (desk.administrator(), desk.person("auditor", Role.AUDITOR).actor()):
        assert [one.email for one in desk.accounts.list(actor, text="ann").items] == ["anna@example.org"]
        assert desk.accounts.known(actor, "ANNA@example.org").name == "anna"
        assert desk.accounts.known(actor, "nobody@example.org") is None


def test_an_operator_finds_subscribers_and_nobody_else(desk: Any) -> None:
    anna = desk.person("anna")
    desk.person("auditor", Role.AUDITOR)
    operator = desk.person("operator", Role.OPERATOR).actor()
    assert desk.accounts.find_by_email(operator, "anna@example.org").id == anna.id
    for unknown in ("auditor@example.org", "nobody@example.org", "\x00"):
        with pytest.raises(NotFound):
            desk.accounts.find_by_email(operator, unknown)


def test_a_subscriber_finds_no_one(desk: Any) -> None:
    anna = desk.person("anna")
    with pytest.raises(NotPermitted):
        desk.accounts.find_by_email(anna.actor(), "anna@example.org")


def test_service_centres_are_made_once_and_seen_by_all(desk: Any) -> None:
    centre = desk.accounts.create_centre(SYSTEM_ACTOR, code=" MSK-01 ", name="Москва")
    anna = desk.person("anna").actor()
    assert list(desk.accounts.list_centres(anna)) == [centre]
    assert desk.accounts.centre_by_code(anna, "MSK-01") == centre
    with pytest.raises(Duplicate):
        desk.accounts.create_centre(SYSTEM_ACTOR, code="MSK-01", name="Another")
    with pytest.raises(NotFound):
        desk.accounts.centre_by_code(anna, "SPB-01")


@pytest.mark.parametrize("code", ["", " ", "MSK 01", "МСК-01", "a\nb", "x" * 33], ids=ascii)
def test_the_code_of_a_centre_can_be_read_out_on_the_telephone(desk: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.accounts.create_centre(SYSTEM_ACTOR, code=code, name="X")
    assert set(caught.value.fields) == {"code"}
