"""SNILS, the number of an insured person's account: nine digits and two of checksum, written without separators."""

from __future__ import annotations

from plugins.counterparties.identifiers.digits import is_digits, weighted_sum

LAST_WITHOUT_CHECKSUM = 1_001_998
"""Numbers up to 001-001-998 were given out before there was a checksum."""


def is_snils(value: str) -> bool:
    """Whether this is an account number; not all zeros."""
    if not is_digits(value, length=11) or (number := int(value[:9])) == 0:
        return False
    if number <= LAST_WITHOUT_CHECKSUM:
        return True
    return weighted_sum(value, range(9, 0, -1)) % 101 % 100 == int(value[9:])
