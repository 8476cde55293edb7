"""What an account may look like, and how the lock grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ca_core.domain.access import SEES_EVERY_CENTRE, Role
from ca_core.domain.account import LogInFailures
from ca_core.domain.errors import InvalidInput
from ca_core.services.account_rules import (
    ANYWHERE,
    HERE,
    after_failure,
    checked_centres,
    checked_email,
    checked_language,
    checked_name,
    checked_password,
    checked_roles,
    is_locked,
)
from ca_core.services.log_in_throttle import network_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
COUNT = LogInFailures(account=UUID(int=7), source_sha256=bytes(32), since=NOW)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Anna@Example.ORG", "anna@example.org"),
        ("  a.b+c@mail.example.org ", "a.b+c@mail.example.org"),
        ("a@xn--80akhbyknj4f.xn--p1ai", "a@xn--80akhbyknj4f.xn--p1ai"),
    ],
)
def test_an_address_is_kept_in_lower_case(written: str, kept: str) -> None:
    assert checked_email(written) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "anna@",
        "@example.org",
        "anna@localhost",
        "a b@example.org",
        "a@b@example.org",
        ".a@example.org",
        "a..b@example.org",
        "a@-example.org",
        "a@example..org",
        "a@example.org\nBcc: b@example.org",
        "a\x00@example.org",
        "анна@example.org",
        "a@[127.0.0.1]",
        '"a"@example.org',
        "a" * 65 + "@example.org",
        "a@" + "b." * 126 + "org",
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_what_no_mail_system_takes_is_refused_beside_its_field(address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_email(address)
    assert set(caught.value.fields) == {"email"}


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x1b[31m", "n" * 201], ids=ascii)
def test_a_name_is_printable_and_of_some_length(name: str) -> None:
    with pytest.raises(InvalidInput):
        checked_name(name)


def test_a_name_in_any_alphabet_loses_its_outer_spaces_only() -> None:
    assert checked_name("  Анна  Петровна ") == "Анна  Петровна"


@pytest.mark.parametrize(
    "password",
    ["", "eleven char", "p" * 201, "operator@example.org", "OPERATOR@example.org", "long.operator.name"],
    ids=lambda text: text[:20],
)
def test_a_password_too_short_too_long_or_the_address_is_refused(password: str) -> None:
    email = "long.operator.name@example.org" if password.startswith("long") else "operator@example.org"
    with pytest.raises(InvalidInput) as caught:
        checked_password(password, email=email, field="new")
    assert set(caught.value.fields) == {"new"}


@pytest.mark.parametrize("password", ["twelve chars", "p" * 200, "пароль из слов"], ids=lambda text: text[:20])
def test_length_is_all_that_a_password_needs(password: str) -> None:
    assert checked_password(password, email="a@example.org") == password


def test_roles_are_some_and_never_the_systems() -> None:
    assert checked_roles([Role.OPERATOR, Role.OPERATOR]) == {Role.OPERATOR}
    for wrong in ([], [Role.SYSTEM], [Role.OPERATOR, Role.SYSTEM]):
        with pytest.raises(InvalidInput):
            checked_roles(wrong)


@pytest.mark.parametrize("wide", sorted(SEES_EVERY_CENTRE - {Role.SYSTEM}))
def test_no_operator_has_a_role_that_sees_every_centre(wide: Role) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_roles([Role.OPERATOR, wide])
    assert set(caught.value.fields) == {"roles"}
    assert checked_roles([Role.SUBSCRIBER, wide])


def test_service_centres_and_languages_have_to_exist() -> None:
    assert checked_centres([UUID(int=1)], known=[UUID(int=1), UUID(int=2)]) == {UUID(int=1)}
    assert checked_language("ar") == "ar"
    with pytest.raises(InvalidInput):
        checked_centres([UUID(int=3)], known=[UUID(int=1)])
    with pytest.raises(InvalidInput):
        checked_language("tlh")


@pytest.mark.parametrize(
    ("failures", "locked"),
    [
        (9, timedelta(0)),
        (10, timedelta(minutes=15)),
        (11, timedelta(minutes=30)),
        (12, timedelta(hours=1)),
        (13, timedelta(hours=1)),
        (100_000, timedelta(hours=1)),
    ],
)
def test_from_the_tenth_failure_on_each_lock_is_twice_the_last_an_hour_at_most(
    failures: int, locked: timedelta
) -> None:
    count = after_failure(replace(COUNT, failures=failures - 1), NOW, HERE)
    assert count.failures == failures
    assert is_locked(count, NOW) is bool(locked)
    assert not is_locked(count, NOW + locked)


def test_counting_begins_anew_when_its_time_is_over() -> None:
    count = replace(COUNT, failures=200)
    assert is_locked(after_failure(count, NOW + timedelta(minutes=59), ANYWHERE), NOW + timedelta(minutes=59))
    later = after_failure(count, NOW + timedelta(hours=1), ANYWHERE)
    assert (later.failures, later.since, later.locked_until) == (1, NOW + timedelta(hours=1), None)


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("command line", "command line"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_the_network_of_one_customer(source: str, network: str) -> None:
    assert network_of(source) == network
