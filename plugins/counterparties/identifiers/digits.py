"""What the checksum rules have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"[0-9]+")


def is_digits(value: str, *, length: int) -> bool:
    """Whether the value is that many ASCII digits; digits of other scripts do not count."""
    return len(value) == length and _DIGITS.fullmatch(value) is not None


def weighted_sum(value: str, weights: Iterable[int]) -> int:
    """Each digit times its weight; the shorter of the two ends it."""
    return sum(int(digit) * weight for digit, weight in zip(value, weights, strict=False))
