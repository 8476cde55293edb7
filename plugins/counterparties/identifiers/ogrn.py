"""OGRN and OGRNIP, the numbers of the state registers of legal entities (13 digits) and sole traders (15)."""

from __future__ import annotations

from plugins.counterparties.identifiers.digits import is_digits


def is_ogrn(value: str) -> bool:
    """Whether this is a legal entity's: kind of record 1 or 5, check digit by the remainder of 11."""
    return is_digits(value, length=13) and value[0] in "15" and _last_digit_is_remainder(value, 11)


def is_ogrnip(value: str) -> bool:
    """Whether this is a sole trader's: kind of record 3, check digit by the remainder of 13."""
    return is_digits(value, length=15) and value[0] == "3" and _last_digit_is_remainder(value, 13)


def _last_digit_is_remainder(value: str, divisor: int) -> bool:
    return int(value[:-1]) % divisor % 10 == int(value[-1])
