"""One-time codes against the vectors of RFC 6238, and used once each."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from ca_core.domain.errors import InvalidInput
from ca_core.services.totp import STEP, matching_step, new_secret, provisioning_uri

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""The seed of RFC 6238 appendix B."""


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(seconds: int, eight_digits: str) -> None:
    # The six-digit code is the tail of the eight-digit one: both are taken modulo a power of ten.
    assert matching_step(SECRET, eight_digits[2:], now=at(seconds), after=0) == seconds // STEP


@pytest.mark.parametrize(("late", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(late: int, taken: bool) -> None:
    now = at(1111111109) + timedelta(seconds=late * STEP)
    assert (matching_step(SECRET, "081804", now=now, after=0) is not None) is taken


def test_a_code_works_once() -> None:
    step = matching_step(SECRET, "081804", now=at(1111111109), after=0)
    assert step is not None
    assert matching_step(SECRET, "081804", now=at(1111111109), after=step) is None
    assert matching_step(SECRET, "081804", now=at(1111111109), after=step - 1) == step


def test_spaces_in_a_code_do_not_matter() -> None:
    assert matching_step(SECRET, " 081 804 ", now=at(1111111109), after=0) is not None


@pytest.mark.parametrize("code", ["", "08180", "0818041", "07081804", "0818o4", "٠٨١٨٠٤", "081804\x00"], ids=ascii)
def test_what_is_not_six_digits_is_no_code(code: str) -> None:
    assert matching_step(SECRET, code, now=at(1111111109), after=0) is None


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_code_or_not_and_never_an_error(code: str) -> None:
    matching_step(SECRET, code, now=at(1111111109), after=0)


@pytest.mark.parametrize("secret", ["", "AAAA", SECRET.lower(), SECRET + "A", "1" * 32])
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(InvalidInput):
        matching_step(secret, "081804", now=at(59), after=0)


def test_a_new_secret_has_160_bits_and_its_address_names_account_and_issuer() -> None:
    secret = new_secret(lambda n: bytes(range(n)))
    assert base64.b32decode(secret) == bytes(range(20))
    uri = provisioning_uri(secret, account="anna@example.org", issuer="Our Authority")
    assert uri.startswith("otpauth://totp/Our%20Authority:anna%40example.org?")
    assert f"secret={secret}" in uri
