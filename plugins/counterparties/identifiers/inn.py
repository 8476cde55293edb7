"""INN, the taxpayer's number: 10 digits for a legal entity, 12 for a person; the last one or two are checks."""

from __future__ import annotations

from plugins.counterparties.identifiers.digits import is_digits, weighted_sum

# The weights of the last check digit of 12; each shorter rule uses their tail.
WEIGHTS = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def is_legal(value: str) -> bool:
    """Whether this is a legal entity's number; not all zeros."""
    return is_digits(value, length=10) and int(value) > 0 and _check_digit(value[:9]) == value[9]


def is_person(value: str) -> bool:
    """Whether this is a person's number, of a sole trader too; not all zeros."""
    return (
        is_digits(value, length=12)
        and int(value) > 0
        and _check_digit(value[:10]) == value[10]
        and _check_digit(value[:11]) == value[11]
    )


def _check_digit(body: str) -> str:
    return str(weighted_sum(body, WEIGHTS[-len(body) :]) % 11 % 10)
