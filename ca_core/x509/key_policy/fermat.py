"""RSA: primes too close together fall to Fermat's factorization (CVE-2022-26320; CA/B ballot SC-73)."""

from __future__ import annotations

from math import isqrt

from ca_core.domain.errors import WeakKey

ROUNDS = 100
"""What the CA/Browser Forum's Baseline Requirements §6.1.1.3 ask for."""

# The squares modulo 64: twelve of 64 residues, so most rounds need no root.
_SQUARES = sum(1 << residue for residue in {number * number % 64 for number in range(64)})


def check_fermat(modulus: int) -> None:
    """Return if :data:`ROUNDS` steps from the square root up find no difference of two squares."""
    middle = isqrt(modulus)
    if middle * middle < modulus:
        middle += 1
    rest = middle * middle - modulus
    for _ in range(ROUNDS):
        if _SQUARES >> (rest & 63) & 1 and isqrt(rest) ** 2 == rest:
            raise WeakKey("the two primes of the RSA key are too close together (Fermat); make a new key")
        rest += 2 * middle + 1
        middle += 1
