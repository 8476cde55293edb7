"""Registration tells nobody who has an account; log-in tells nobody what was wrong."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.account import Account
from ca_core.domain.errors import Conflict, InvalidInput, NotAuthenticated, NotPermitted
from ca_core.keys.password_hash import Argon2Hasher

PASSWORD = "correct horse battery staple"


HOME, THIEF = "203.0.113.5", "198.51.100.7"


def log_in(
    desk: Any, name: str = "anna", password: str = PASSWORD, totp: str | None = None, source: str = HOME
) -> Account:
    account: Account = desk.accounts.log_in(email=f"{name}@example.org", password=password, totp=totp, source=source)
    return account


def fail(desk: Any, times: int = 1, **how: Any) -> str:
    for _ in range(times):
        with pytest.raises(NotAuthenticated) as caught:
            log_in(desk, password="wrong horse battery", **how)
    return caught.value.detail


def failures(desk: Any) -> list[int]:
    """The counts on record."""
    return [one.details["failures"] for one in desk.records() if one.action == "account.login-failed"]


def with_second_factor(desk: Any, name: str = "anna") -> tuple[Account, pyotp.TOTP]:
    account = desk.person(name)
    secret, uri = desk.accounts.enrol_totp(account.actor())
    assert secret in uri
    codes = pyotp.TOTP(secret)
    desk.accounts.confirm_totp(account.actor(), secret, codes.at(desk.clock()))
    return account, codes


def test_whoever_registers_is_a_subscriber_and_can_log_in(desk: Any) -> None:
    desk.accounts.register(email=" Anna@Example.org", name="Анна", password=PASSWORD, language="ru")
    account = log_in(desk)
    assert (account.email, account.name, account.language) == ("anna@example.org", "Анна", "ru")
    assert account.roles == {Role.SUBSCRIBER}
    assert desk.actions() == ["account.registered", "account.logged-in"]


def test_registering_a_known_address_looks_the_same_and_its_owner_is_told_once_a_day(desk: Any) -> None:
    anna = desk.person("anna")
    for _ in range(3):
        desk.accounts.register(email="anna@example.org", name="Mallory", password="another long password")
    assert desk.stored(anna) == anna
    assert desk.told(anna) == ["register-again"]
    desk.pass_time(hours=25)
    desk.accounts.register(email="anna@example.org", name="Mallory", password="another long password")
    assert desk.told(anna) == ["register-again"] * 2


@pytest.mark.parametrize(
    ("field", "value"), [("email", "anna"), ("name", "\n"), ("password", "short"), ("language", "tlh")]
)
@pytest.mark.parametrize("known", [False, True])
def test_registration_names_the_wrong_field_whether_the_address_is_known_or_not(
    desk: Any, field: str, value: str, known: bool
) -> None:
    if known:
        desk.person("anna")
    form = {"email": "anna@example.org", "name": "Anna", "password": PASSWORD, "language": "en", field: value}
    with pytest.raises(InvalidInput) as caught:
        desk.accounts.register(**form)
    assert set(caught.value.fields) == {field}


def test_every_refusal_at_the_door_has_the_same_words(desk: Any) -> None:
    desk.person("anna")
    closed = desk.person("closed")
    desk.accounts.deactivate(SYSTEM_ACTOR, closed.id)
    with_second_factor(desk, "careful")
    desk.person("locked")
    fail(desk, 10, name="locked")
    attempts = {
        "wrong password": {"name": "anna", "password": "wrong horse battery"},
        "endless password": {"name": "anna", "password": "x" * 1_000_000},
        "unknown": {"name": "nobody"},
        "no address": {"name": "\x00\n"},
        "closed": {"name": "closed"},
        "no code": {"name": "careful"},
        "wrong code": {"name": "careful", "totp": "000000"},
        "locked": {"name": "locked"},
    }
    words = set()
    for attempt in attempts.values():
        with pytest.raises(NotAuthenticated) as caught:
            log_in(desk, **attempt)
        words.add(caught.value.detail)
    assert len(words) == 1


def test_an_unknown_address_costs_the_same_hashing_as_a_known_one(desk: Any) -> None:
    class Counting(Argon2Hasher):
        work = 0

        def hash(self, password: str) -> str:
            self.work += 1
            return super().hash(password)

        def verify(self, hash: str, password: str) -> bool:
            self.work += 1
            return super().verify(hash, password)

    desk.person("anna")
    counting = Counting(time_cost=1, memory_kib=8, lanes=1)
    desk.hash_with(counting)
    fail(desk, name="anna")
    known, counting.work = counting.work, 0
    fail(desk, name="nobody")
    assert counting.work == known == 1


def test_ten_failures_lock_for_a_quarter_of_an_hour_and_the_eleventh_for_twice_as_long(desk: Any) -> None:
    desk.person("anna")
    fail(desk, 9)
    log_in(desk)
    fail(desk, 10)
    with pytest.raises(NotAuthenticated):
        log_in(desk)
    desk.pass_time(minutes=15)
    fail(desk)
    desk.pass_time(minutes=29)
    with pytest.raises(NotAuthenticated):
        log_in(desk)
    assert failures(desk) == [*range(1, 10), *range(1, 12)]
    desk.pass_time(minutes=1)
    log_in(desk)
    fail(desk)
    assert failures(desk)[-1] == 1


def test_a_stranger_locks_nobody_out_but_himself(desk: Any) -> None:
    desk.person("anna")
    fail(desk, 10, source=THIEF)
    with pytest.raises(NotAuthenticated):
        log_in(desk, source=THIEF)
    log_in(desk, source=HOME)
    with pytest.raises(NotAuthenticated):
        log_in(desk, source=THIEF)


def test_another_address_of_the_same_network_is_the_same_source(desk: Any) -> None:
    desk.person("anna")
    for number in range(10):
        fail(desk, source=f"2001:db8:1:2::{number}")
    with pytest.raises(NotAuthenticated):
        log_in(desk, source="2001:db8:1:2:ffff::1")
    log_in(desk, source="2001:db8:1:3::1")


def test_guessing_from_everywhere_slows_down_all_but_those_who_were_here_lately(desk: Any) -> None:
    desk.person("anna")
    log_in(desk, source=HOME)
    for number in range(100):
        fail(desk, source=f"198.51.100.{number}")
    with pytest.raises(NotAuthenticated):
        log_in(desk, source="192.0.2.1")
    log_in(desk, source=HOME)
    desk.pass_time(minutes=1)
    fail(desk, source="198.51.100.101")
    with pytest.raises(NotAuthenticated):
        log_in(desk, source="192.0.2.1")
    desk.pass_time(minutes=1)
    log_in(desk, source="192.0.2.1")


def test_a_source_is_forgotten_as_known_after_thirty_days(desk: Any) -> None:
    desk.person("anna")
    log_in(desk, source=HOME)
    desk.pass_time(days=30)
    for number in range(100):
        fail(desk, source=f"198.51.100.{number}")
    with pytest.raises(NotAuthenticated):
        log_in(desk, source=HOME)


def test_failures_spread_over_hours_slow_down_nobody(desk: Any) -> None:
    desk.person("anna")
    for number in range(100):
        fail(desk, source=f"198.51.100.{number}")
        desk.pass_time(minutes=1)
    log_in(desk, source="192.0.2.1")


def test_of_a_source_only_a_keyed_digest_is_kept_and_that_for_a_while(desk: Any) -> None:
    anna = desk.person("anna")
    fail(desk, source=THIEF)
    log_in(desk, source=HOME)
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        plain = tx.log_ins.get(anna.id, hashlib.sha256(HOME.encode()).digest())
        assert plain.last_success is None
        day, month = tx.now + timedelta(days=1), tx.now + timedelta(days=30)
        assert tx.log_ins.forget_quiet(counted_before=tx.now, known_before=day) == 0
        assert tx.log_ins.forget_quiet(counted_before=day, known_before=tx.now) == 2, "the thief's, and all sources'"
        assert tx.log_ins.forget_quiet(counted_before=month, known_before=month) == 1


def test_attempts_on_a_locked_account_write_nothing(desk: Any) -> None:
    desk.person("anna")
    fail(desk, 10)
    before = desk.actions()
    fail(desk, 5)
    assert desk.actions() == before
    assert before.count("account.login-failed") == 10


def test_failures_are_on_record_as_a_visitors_and_log_ins_as_the_accounts(desk: Any) -> None:
    anna = desk.person("anna")
    fail(desk)
    log_in(desk)
    failed, entered = desk.records()[-2:]
    assert (failed.actor_name, failed.object_id) == ("visitor", str(anna.id))
    assert (entered.actor, entered.object_id) == (anna.id, str(anna.id))


def test_a_hash_of_older_costs_is_replaced_at_log_in(desk: Any) -> None:
    anna = desk.person("anna")
    desk.hash_with(Argon2Hasher(time_cost=2, memory_kib=8, lanes=1))
    entered = log_in(desk)
    assert "t=1," in anna.password_hash
    assert "t=2," in entered.password_hash
    assert log_in(desk).password_hash == entered.password_hash


def test_with_a_second_factor_the_password_alone_is_not_enough(desk: Any) -> None:
    _, codes = with_second_factor(desk)
    desk.pass_time(seconds=30)
    with pytest.raises(NotAuthenticated):
        log_in(desk)
    with pytest.raises(NotAuthenticated):
        log_in(desk, totp="")
    assert log_in(desk, totp=codes.at(desk.clock())).totp_sealed is not None


def test_a_code_opens_once_also_the_one_that_confirmed_the_set_up(desk: Any) -> None:
    _, codes = with_second_factor(desk)
    with pytest.raises(NotAuthenticated):
        log_in(desk, totp=codes.at(desk.clock()))
    desk.pass_time(seconds=30)
    code = codes.at(desk.clock())
    log_in(desk, totp=code)
    with pytest.raises(NotAuthenticated):
        log_in(desk, totp=code)


def test_a_code_is_not_used_up_by_a_wrong_password(desk: Any) -> None:
    _, codes = with_second_factor(desk)
    desk.pass_time(seconds=30)
    code = codes.at(desk.clock())
    fail(desk, totp=code)
    log_in(desk, totp=code)


def test_wrong_codes_count_towards_the_lock(desk: Any) -> None:
    _, codes = with_second_factor(desk)
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            log_in(desk, totp="000000")
    desk.pass_time(seconds=60)
    with pytest.raises(NotAuthenticated):
        log_in(desk, totp=codes.at(desk.clock()))
    assert failures(desk)[-1] == 10


def test_the_secret_lies_sealed(desk: Any) -> None:
    account = desk.person("anna")
    secret, _ = desk.accounts.enrol_totp(account.actor())
    desk.accounts.confirm_totp(account.actor(), secret, pyotp.TOTP(secret).at(desk.clock()))
    sealed = desk.stored(account).totp_sealed
    assert sealed is not None
    assert secret.encode() not in sealed


@pytest.mark.parametrize("code", ["", "000000", "abcdef"])
def test_a_set_up_needs_a_right_code(desk: Any, code: str) -> None:
    account = desk.person("anna")
    secret, _ = desk.accounts.enrol_totp(account.actor())
    with pytest.raises(InvalidInput):
        desk.accounts.confirm_totp(account.actor(), secret, code)
    assert desk.stored(account).totp_sealed is None


def test_a_second_factor_is_not_replaced_by_another(desk: Any) -> None:
    account, _ = with_second_factor(desk)
    secret, _ = desk.accounts.enrol_totp(account.actor())
    with pytest.raises(Conflict):
        desk.accounts.confirm_totp(account.actor(), secret, pyotp.TOTP(secret).at(desk.clock()))


def test_an_api_token_changes_neither_password_nor_second_factor(desk: Any) -> None:
    actor = desk.person("anna").actor()
    token = desk.tokens.create(actor, label="script", scopes=actor.permissions, days=1)[1]
    by_token = desk.tokens.authenticate(token)
    secret = pyotp.random_base32()
    for attempt in (
        lambda: desk.accounts.enrol_totp(by_token),
        lambda: desk.accounts.confirm_totp(by_token, secret, pyotp.TOTP(secret).at(desk.clock())),
        lambda: desk.accounts.change_password(by_token, current=PASSWORD, new="another long password", source=HOME),
    ):
        with pytest.raises(NotPermitted):
            attempt()


def test_the_system_has_no_second_factor(desk: Any) -> None:
    with pytest.raises(NotPermitted):
        desk.accounts.enrol_totp(SYSTEM_ACTOR)


def test_a_changed_password_ends_every_session_and_is_told(desk: Any) -> None:
    anna = desk.person("anna")
    _, token = desk.sessions.log_in(None, anna)
    desk.accounts.change_password(anna.actor(), current=PASSWORD, new="another long password", source=HOME)
    assert desk.sessions.load(token) is None
    assert desk.told(anna) == ["password-changed"]
    with pytest.raises(NotAuthenticated):
        log_in(desk)
    log_in(desk, password="another long password")


def test_a_changed_password_ends_every_api_token_and_a_wrong_one_none(desk: Any) -> None:
    anna = desk.person("anna").actor()
    token = desk.tokens.create(anna, label="t", scopes=anna.permissions, days=1)[1]
    with pytest.raises(InvalidInput):
        desk.accounts.change_password(anna, current="wrong horse battery", new="another long password", source=HOME)
    assert desk.tokens.authenticate(token)
    desk.accounts.change_password(anna, current=PASSWORD, new="another long password", source=HOME)
    with pytest.raises(NotAuthenticated):
        desk.tokens.authenticate(token)


def test_a_password_changes_only_with_the_present_one_which_cannot_be_guessed_either(desk: Any) -> None:
    anna = desk.person("anna")
    for _ in range(10):
        with pytest.raises(InvalidInput) as caught:
            desk.accounts.change_password(
                anna.actor(), current="wrong horse battery", new="another long password", source=HOME
            )
    assert set(caught.value.fields) == {"current"}
    with pytest.raises(NotAuthenticated):
        desk.accounts.change_password(anna.actor(), current=PASSWORD, new="another long password", source=HOME)
    desk.pass_time(minutes=15)
    log_in(desk)


def test_a_new_password_follows_the_rules(desk: Any) -> None:
    anna = desk.person("anna")
    with pytest.raises(InvalidInput) as caught:
        desk.accounts.change_password(anna.actor(), current=PASSWORD, new="short", source=HOME)
    assert set(caught.value.fields) == {"new"}
