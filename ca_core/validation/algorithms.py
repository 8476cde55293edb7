"""Which algorithms and keys are strong enough, by date."""

from __future__ import annotations

from datetime import UTC, datetime

from asn1crypto import algos, keys
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint, AlgorithmUsagePolicy

SP800_131A = datetime(2014, 1, 1, tzinfo=UTC)
"""From then on neither SHA-1 nor keys of less than 112 bits of strength sign (NIST SP 800-131A, tables 2 and 8)."""
FIPS_186_5 = datetime(2024, 2, 4, tzinfo=UTC)
"""From then on DSA does not sign (FIPS 186-5 of 3 February 2023, and its year of transition)."""
FOREVER = datetime.max.replace(tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)

_DIGESTS = {
    "sha1": SP800_131A,
    "sha224": FOREVER,
    "sha256": FOREVER,
    "sha384": FOREVER,
    "sha512": FOREVER,
    "sha3_256": FOREVER,
    "sha3_384": FOREVER,
    "sha3_512": FOREVER,
}
_WITHOUT_DIGEST = frozenset({"ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87"})
LEAST_RSA, LEAST_DSA, LEAST_EC = 2048, 2048, 224
"""Bits for 112 bits of strength (SP 800-57 part 1, table 2)."""
SHORTEST = 1024
"""Bits of RSA and DSA keys that were ever enough for a certificate, in the years before."""
MOST_RSA = 16_384
"""Bits; a larger modulus only keeps the reader busy."""


class AlgorithmPolicy(AlgorithmUsagePolicy):
    """What is not known is not accepted."""

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        name = algo["algorithm"].native
        return _constraint(_DIGESTS.get(name, NEVER), moment, f"the digest {name} is not accepted")

    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: datetime | None, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        end, why = end_of_signature(algo)
        if public_key is not None:
            end, why = min((end, why), end_of_key(public_key))
        return _constraint(end, moment, why)


def end_of_signature(algorithm: algos.SignedDigestAlgorithm) -> tuple[datetime, str]:
    """From when on the algorithm is not accepted, and that in words."""
    name = algorithm["algorithm"].native
    try:
        mechanism, digest = algorithm.signature_algo, None
        if mechanism not in _WITHOUT_DIGEST:
            digest = algorithm.hash_algo
    except ValueError:
        mechanism, digest = name, None
    if mechanism in _WITHOUT_DIGEST:
        return FOREVER, ""
    if digest is None:
        return NEVER, f"the signature algorithm {name} is not accepted"
    return _DIGESTS.get(digest, NEVER), f"the digest {digest} is not accepted"


def end_of_key(key: keys.PublicKeyInfo) -> tuple[datetime, str]:
    """From when on the key is not accepted, and that in words."""
    kind = key.algorithm
    if kind in ("rsa", "rsassa_pss"):
        size = key.bit_size
        if size > MOST_RSA:
            return NEVER, f"an RSA key of {size} bits is not accepted"
        return _by_size(size, LEAST_RSA), f"an RSA key of {size} bits is too short"
    if kind == "dsa":
        # Without parameters they are its issuer's (RFC 3279 §2.3.2), whose key is judged by them.
        size = None if key["algorithm"]["parameters"].native is None else key.bit_size
        if size is not None and size < LEAST_DSA:
            return _by_size(size, LEAST_DSA), f"a DSA key of {size} bits is too short"
        return FIPS_186_5, "DSA is not accepted"
    if kind == "ec":
        size = key.bit_size
        return (FOREVER if size >= LEAST_EC else NEVER), f"an EC key of {size} bits is too short"
    return (FOREVER if kind in _WITHOUT_DIGEST else NEVER), f"a key of the kind {kind} is not accepted"


def _by_size(size: int, least: int) -> datetime:
    if size >= least:
        return FOREVER
    return SP800_131A if size >= SHORTEST else NEVER


def _constraint(end: datetime, moment: datetime | None, why: str) -> AlgorithmUsageConstraint:
    allowed = end is FOREVER or (moment is not None and moment < end)
    return AlgorithmUsageConstraint(
        allowed=allowed,
        not_allowed_after=end if NEVER < end < FOREVER else None,
        failure_reason=None if allowed else why,
    )
