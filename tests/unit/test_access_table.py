"""Which role has which right, written down a second time; and tokens narrow, they never add."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ca_core.domain.access import ROLE_PERMISSIONS, SEES_EVERY_CENTRE, Actor, Permission, Role
from ca_core.domain.errors import NotPermitted

# Columns: Subscriber, Operator, Reviewer, security officer (C), Auditor (U), support (T), aDministrator, sYstem.
COLUMNS = {
    "S": Role.SUBSCRIBER,
    "O": Role.OPERATOR,
    "R": Role.REVIEWER,
    "C": Role.SECURITY_OFFICER,
    "U": Role.AUDITOR,
    "T": Role.SUPPORT,
    "D": Role.ADMINISTRATOR,
    "Y": Role.SYSTEM,
}
TABLE = {
    "application.create": "SO.....Y",
    "application.edit": "SO.....Y",
    "application.view": "SORCUT.Y",
    "application.review": ".OR.....",
    "application.approve": ".OR.....",
    "document.upload": "SO.....Y",
    "document.view": "SOR.U..Y",
    "certificate.view": "SORCUT.Y",
    "certificate.verify": "SORCUT.Y",
    "certificate.request": "SO.....Y",
    "certificate.issue": ".OR....Y",
    "certificate.hold": "SORC...Y",
    "certificate.unhold": ".O.C...Y",
    "certificate.revoke": "SORC...Y",
    "certificate.replace": "SO.....Y",
    "certificate.revoke-many": "...C...Y",
    "certificate.revoke-approve": "..RC....",
    "certificate.import": "...C...Y",
    "authority.view": "...CU.DY",
    "authority.manage": ".......Y",
    "crl.issue": "...C...Y",
    "ocsp.manage": "...C...Y",
    "timestamp.issue": "SORC...Y",
    "timestamp.view": "SO.CU..Y",
    "timestamp.manage": "...C...Y",
    "status.follow": "...C...Y",
    "account.view": "....U.DY",
    "account.manage": "......DY",
    "token.manage": "SORCUTDY",
    "centre.manage": "......DY",
    "key.block": "...C...Y",
    "job.view": "...CU.DY",
    "job.manage": "...C...Y",
    "audit.view": "...CU..Y",
    "audit.export": "....U..Y",
    "audit.seal": "...C...Y",
}
LETTERS = "SORCUTDY"


def somebody(*roles: Role, scopes: frozenset[Permission] | None = None) -> Actor:
    return Actor(id=UUID(int=7), name="somebody", roles=frozenset(roles), scopes=scopes)


def test_the_table_names_every_right_and_every_role() -> None:
    assert set(TABLE) == set(Permission)
    assert set(COLUMNS.values()) == set(Role) == set(ROLE_PERMISSIONS)


@pytest.mark.parametrize("permission", Permission, ids=lambda permission: permission.value)
def test_a_right_belongs_to_exactly_these_roles(permission: Permission) -> None:
    has = "".join(letter if somebody(COLUMNS[letter]).may(permission) else "." for letter in LETTERS)
    assert has == TABLE[permission]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_a_right_that_is_not_given_is_refused(role: Role) -> None:
    actor = somebody(role)
    for permission in set(Permission) - actor.permissions:
        with pytest.raises(NotPermitted, match=permission.value):
            actor.require(permission)


def test_who_has_no_role_may_nothing() -> None:
    assert somebody().permissions == frozenset()


def test_nobody_approves_alone_by_being_the_system_or_an_officer() -> None:
    for role in (Role.SYSTEM, Role.SECURITY_OFFICER, Role.ADMINISTRATOR):
        assert not somebody(role).may(Permission.APPLICATION_APPROVE)


@given(roles=st.sets(st.sampled_from(Role)), scopes=st.sets(st.sampled_from(Permission)))
def test_a_token_narrows_and_never_adds(roles: set[Role], scopes: set[Permission]) -> None:
    by_log_in = somebody(*roles)
    by_token = somebody(*roles, scopes=frozenset(scopes))
    assert by_token.permissions == by_log_in.permissions & scopes
    assert by_token.visibility == by_log_in.visibility


@pytest.mark.parametrize("wide", sorted(SEES_EVERY_CENTRE))
def test_no_other_role_lifts_the_centre_limit_of_an_operator(wide: Role) -> None:
    """Also for accounts from before such pairs were refused."""
    here, there = UUID(int=1), UUID(int=2)
    seen = Actor(
        id=UUID(int=7), name="somebody", roles=frozenset({Role.OPERATOR, wide}), centres=frozenset({here})
    ).visibility
    assert seen.covers(owner=UUID(int=8), centre=here)
    assert not seen.covers(owner=UUID(int=8), centre=there)
    assert somebody(wide).visibility.covers(owner=UUID(int=8), centre=there)
