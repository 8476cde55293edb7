"""RSA: no small prime divides the modulus (SP 800-89 §5.3.3)."""

from __future__ import annotations

from math import gcd, prod

from ca_core.domain.errors import WeakKey
from ca_core.x509.key_policy.primes import odd_primes_to

LIMIT = 4096
"""SP 800-89 asks for the primes below 752; these cost a few microseconds more."""

_PRODUCT = prod(odd_primes_to(LIMIT))


def check_small_factors(modulus: int) -> None:
    """Return if no odd prime below :data:`LIMIT` divides the modulus."""
    if gcd(modulus, _PRODUCT) != 1:
        raise WeakKey("the RSA modulus has a small prime factor; make a new key")
