"""Who makes somebody powerful: two administrators, or the machine's owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Role
from ca_core.domain.account import Account
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotPermitted, SelfApproval, StaleVersion, WrongState

PASSWORD = "correct horse battery staple"
GIVEN_BY_TWO = [Role.OPERATOR, Role.REVIEWER, Role.SECURITY_OFFICER, Role.ADMINISTRATOR]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: each refuses by itself what the service must not do."""
    return str(request.param)


@pytest.fixture
def first(desk: Any) -> Actor:
    found: Actor = desk.person("first", Role.ADMINISTRATOR).actor()
    return found


@pytest.fixture
def second(desk: Any) -> Actor:
    found: Actor = desk.person("second", Role.ADMINISTRATOR).actor()
    return found


def enter(desk: Any, name: str, password: str) -> Account:
    account: Account = desk.accounts.log_in(email=f"{name}@example.org", password=password, source="203.0.113.5")
    return account


def create(desk: Any, by: Actor, role: Role = Role.OPERATOR) -> tuple[Account, str]:
    made: tuple[Account, str] = desk.accounts.create(by, email="oleg@example.org", name="Oleg", roles={role})
    return made


def waiting(desk: Any, account: Account) -> Any:
    (change,) = desk.accounts.changes_waiting(SYSTEM_ACTOR, account.id)
    return change.id


@pytest.mark.parametrize("role", GIVEN_BY_TWO)
def test_a_privileged_account_comes_to_life_with_both_halves_of_its_password(
    desk: Any, first: Actor, second: Actor, role: Role
) -> None:
    account, half = create(desk, first, role)
    assert not account.roles
    changed, other = desk.accounts.confirm_change(second, waiting(desk, account))
    assert changed.roles == {role}
    for guess in (half, other, other + half):
        with pytest.raises(NotAuthenticated):
            enter(desk, "oleg", guess)
    assert enter(desk, "oleg", half + other).id == account.id
    record = desk.records()[-5]
    assert (record.action, record.actor, record.details["asked_by"]) == ("account.created", second.id, str(first.id))
    assert desk.told(account) == []


def test_before_it_is_confirmed_nobody_gets_in(desk: Any, first: Actor) -> None:
    account, half = create(desk, first)
    with pytest.raises(NotAuthenticated):
        enter(desk, "oleg", half)
    desk.accounts.deactivate(first, account.id)
    desk.accounts.reactivate(first, account.id)
    with pytest.raises(NotAuthenticated):
        enter(desk, "oleg", half)
    assert not desk.stored(account).roles


def test_whoever_asked_does_not_confirm(desk: Any, first: Actor) -> None:
    account, _ = create(desk, first)
    with pytest.raises(SelfApproval):
        desk.accounts.confirm_change(first, waiting(desk, account))
    assert not desk.stored(account).roles


@pytest.mark.parametrize("decide", ["confirm_change", "refuse_change"])
def test_nobody_decides_on_a_change_of_himself(desk: Any, first: Actor, second: Actor, decide: str) -> None:
    desk.accounts.reset_access(first, second.id)
    (change,) = desk.accounts.changes_waiting(first)
    with pytest.raises(NotPermitted):
        getattr(desk.accounts, decide)(second, change.id)
    assert desk.accounts.changes_waiting(first) == [change]


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMINISTRATOR, Role.SYSTEM)])
@pytest.mark.parametrize("decide", ["confirm_change", "refuse_change"])
def test_only_administrators_decide(desk: Any, first: Actor, role: Role, decide: str) -> None:
    account, _ = create(desk, first)
    with pytest.raises(NotPermitted):
        getattr(desk.accounts, decide)(desk.person("somebody", role).actor(), waiting(desk, account))


def test_no_administrator_chooses_the_password_of_a_privileged_account(desk: Any, first: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.accounts.create(first, email="oleg@example.org", name="Oleg", roles={Role.OPERATOR}, password=PASSWORD)
    assert set(caught.value.fields) == {"password"}


@pytest.mark.parametrize("role", GIVEN_BY_TWO)
def test_a_privileged_account_is_as_before_until_its_reset_is_confirmed(
    desk: Any, first: Actor, second: Actor, role: Role
) -> None:
    roman = desk.person("roman", role)
    _, session = desk.sessions.log_in(None, roman)
    _, half = desk.accounts.reset_access(first, roman.id)
    assert desk.sessions.load(session) is not None
    with pytest.raises(NotAuthenticated):
        enter(desk, "roman", half)
    enter(desk, "roman", PASSWORD)
    _, other = desk.accounts.confirm_change(second, waiting(desk, roman))
    assert desk.sessions.load(session) is None
    with pytest.raises(NotAuthenticated):
        enter(desk, "roman", PASSWORD)
    assert enter(desk, "roman", half + other).roles == {role}
    assert desk.told(roman) == ["access-reset"]


def test_who_becomes_privileged_begins_with_a_new_password(desk: Any, first: Actor, second: Actor) -> None:
    """Whoever asked may have prepared the account: reset it alone, and set up a second factor of his own."""
    anna = desk.person("anna")
    _, prepared = desk.accounts.reset_access(first, anna.id)
    secret, _ = desk.accounts.enrol_totp(anna.actor())
    desk.accounts.confirm_totp(anna.actor(), secret, pyotp.TOTP(secret).at(desk.clock()))
    _, half = desk.accounts.change_roles(first, anna.id, roles={Role.REVIEWER}, centres=())
    assert desk.stored(anna).roles == {Role.SUBSCRIBER}
    changed, other = desk.accounts.confirm_change(second, waiting(desk, anna))
    assert (changed.roles, changed.totp_sealed) == ({Role.REVIEWER}, None)
    with pytest.raises(NotAuthenticated):
        enter(desk, "anna", prepared)
    enter(desk, "anna", half + other)


def test_one_more_role_of_staff_needs_a_second_administrator_and_no_new_password(
    desk: Any, first: Actor, second: Actor
) -> None:
    roman = desk.person("roman", Role.REVIEWER)
    more = {Role.REVIEWER, Role.SECURITY_OFFICER}
    assert desk.accounts.change_roles(first, roman.id, roles=more, centres=())[1] is None
    assert desk.stored(roman).roles == {Role.REVIEWER}
    assert desk.accounts.confirm_change(second, waiting(desk, roman))[1] is None
    assert enter(desk, "roman", PASSWORD).roles == more


def test_another_centre_of_an_operator_needs_a_second_administrator_and_one_less_does_not(
    desk: Any, first: Actor, second: Actor
) -> None:
    here, there = (desk.accounts.create_centre(SYSTEM_ACTOR, code=code, name=code).id for code in ("HERE", "THERE"))
    oleg = desk.person("oleg", Role.OPERATOR, centres=frozenset({here}))
    desk.accounts.change_roles(first, oleg.id, roles=oleg.roles, centres={here, there})
    assert desk.stored(oleg).centres == {here}
    desk.accounts.confirm_change(second, waiting(desk, oleg))
    assert desk.stored(oleg).centres == {here, there}
    desk.accounts.change_roles(first, oleg.id, roles=oleg.roles, centres={there})
    assert desk.stored(oleg).centres == {there}


def test_one_administrator_takes_a_privileged_role_away(desk: Any, first: Actor) -> None:
    roman = desk.person("roman", Role.REVIEWER)
    desk.accounts.change_roles(first, roman.id, roles={Role.SUBSCRIBER}, centres=())
    assert desk.stored(roman).roles == {Role.SUBSCRIBER}
    assert desk.accounts.changes_waiting(first) == []


Ask = Callable[[Any, Actor, Account], object]
LATER: dict[str, Ask] = {
    "roles": lambda desk, by, of: desk.accounts.change_roles(by, of.id, roles={Role.SUBSCRIBER}, centres=()),
    "reset": lambda desk, by, of: desk.accounts.reset_access(by, of.id),
    "closed": lambda desk, by, of: desk.accounts.deactivate(by, of.id),
    "asked again": lambda desk, by, of: desk.accounts.change_roles(by, of.id, roles={Role.OPERATOR}, centres=()),
}


@pytest.mark.parametrize("later", LATER)
def test_what_was_done_to_the_account_later_overtakes_a_change_that_waits(
    desk: Any, first: Actor, second: Actor, later: str
) -> None:
    anna = desk.person("anna")
    desk.accounts.change_roles(first, anna.id, roles={Role.REVIEWER}, centres=())
    overtaken = waiting(desk, anna)
    LATER[later](desk, first, anna)
    with pytest.raises(WrongState):
        desk.accounts.confirm_change(second, overtaken)
    assert Role.REVIEWER not in desk.stored(anna).roles


def test_a_change_is_decided_once_and_keeps_no_half_of_a_password(desk: Any, first: Actor, second: Actor) -> None:
    account, half = create(desk, first)
    change = waiting(desk, account)
    with desk.transactions.read(SYSTEM_ACTOR) as tx:
        sealed = tx.account_changes.waiting()[0].first_half_sealed
    assert half.encode() not in sealed
    desk.accounts.refuse_change(second, change)
    for decide in (desk.accounts.confirm_change, desk.accounts.refuse_change):
        with pytest.raises(WrongState):
            decide(second, change)
    with desk.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.account_changes.get(change, seen_by=EVERYTHING).first_half_sealed is None
    assert not desk.stored(account).roles


def test_a_change_asked_for_on_an_old_page_is_not_asked_for(desk: Any, first: Actor) -> None:
    roman = desk.person("roman", Role.REVIEWER)
    enter(desk, "roman", PASSWORD)
    with pytest.raises(StaleVersion):
        desk.accounts.reset_access(first, roman.id, version=roman.version)
    assert desk.accounts.changes_waiting(first) == []


def test_the_owner_of_the_machine_needs_no_second_one(desk: Any) -> None:
    made = desk.person("first", Role.ADMINISTRATOR)
    desk.accounts.change_roles(SYSTEM_ACTOR, made.id, roles={Role.REVIEWER}, centres=())
    _, password = desk.accounts.reset_access(SYSTEM_ACTOR, made.id)
    assert enter(desk, "first", password).roles == {Role.REVIEWER}
    assert desk.accounts.changes_waiting(SYSTEM_ACTOR) == []
