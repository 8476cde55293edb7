"""RSA: keys of the flawed Infineon library, ROCA (CVE-2017-15361).

Its primes have the form ``k * M + (65537 ** a mod M)``, M being the product of the first primes (126 of them, up to
701, for 1984 bits and more). So modulo each of these the RSA modulus is a power of 65537, which for a sound modulus
fails after a few of them (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", CCS 2017, §2.3).
"""

from __future__ import annotations

from math import prod

from ca_core.domain.errors import WeakKey
from ca_core.x509.key_policy.primes import odd_primes_to

GENERATOR = 65537
LARGEST_PRIME = 701


def _powers(prime: int) -> int:
    """The subgroup that 65537 generates modulo ``prime``, as a bit mask."""
    mask, power = 0, 1
    while not mask >> power & 1:
        mask |= 1 << power
        power = power * GENERATOR % prime
    return mask


# Where 65537 generates the whole group the test says nothing.
_MARKERS = tuple(
    (prime, mask)
    for prime, mask in ((prime, _powers(prime)) for prime in odd_primes_to(LARGEST_PRIME))
    if mask.bit_count() < prime - 1
)
_PRODUCT = prod(prime for prime, _ in _MARKERS)


def check_roca(modulus: int) -> None:
    """Return if the modulus lacks the fingerprint; a sound one has it with a chance far below 2**-80."""
    rest = modulus % _PRODUCT
    if all(mask >> rest % prime & 1 for prime, mask in _MARKERS):
        raise WeakKey(
            "the RSA key was made by a library whose keys can be factored (ROCA, CVE-2017-15361); "
            "update the token or make the key elsewhere"
        )
