"""Small primes, for the rules that divide by them."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4)
def odd_primes_to(limit: int) -> tuple[int, ...]:
    """The odd primes up to ``limit``, ascending (sieve of Eratosthenes)."""
    composite = bytearray(limit + 1)
    for number in range(3, int(limit**0.5) + 1, 2):
        composite[number * number :: 2 * number] = b"\x01" * len(range(number * number, limit + 1, 2 * number))
    return tuple(number for number in range(3, limit + 1, 2) if not composite[number])
