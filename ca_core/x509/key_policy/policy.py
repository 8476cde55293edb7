"""All rules on a subscriber's public key, the cheap ones first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import WeakKey
from ca_core.x509.algorithm import key_algorithm_of, public_key_bits
from ca_core.x509.der_reader import decode
from ca_core.x509.key_policy.fermat import check_fermat
from ca_core.x509.key_policy.known_weak import check_known_weak
from ca_core.x509.key_policy.low_order import check_edwards_point
from ca_core.x509.key_policy.roca import check_roca
from ca_core.x509.key_policy.small_factors import check_small_factors


def check_public_key(
    spki_der: bytes, *, blocklist: Callable[[bytes], bool], known_weak: Container[bytes] = frozenset()
) -> KeyAlgorithm:
    """The kind of key in a DER SubjectPublicKeyInfo, if the authority may certify it.

    ``blocklist`` answers whether the SHA-256 of the SubjectPublicKeyInfo belongs to a compromised key;
    ``known_weak`` holds fingerprints as :func:`read_known_weak` returns them.

    The form is checked by :func:`~ca_core.x509.algorithm.key_algorithm_of`: sizes, exponent, parity, named curve,
    uncompressed point on the curve, key lengths. :class:`WeakKey` names the rule that failed; bytes that are no key
    are :class:`MalformedDer`, kinds and sizes that the authority does not use :class:`ProfileViolation`.
    """
    algorithm = key_algorithm_of(spki_der)
    check_not_blocked(hashlib.sha256(spki_der).digest(), blocklist)
    if algorithm.is_rsa:
        modulus = decode(public_key_bits(spki_der)).members[0].integer("the RSA modulus")
        check_known_weak(modulus, known_weak)
        check_small_factors(modulus)
        check_roca(modulus)
        check_fermat(modulus)
    elif algorithm in (KeyAlgorithm.ED25519, KeyAlgorithm.ED448):
        check_edwards_point(algorithm, public_key_bits(spki_der))
    return algorithm


def check_not_blocked(spki_sha256: bytes, blocklist: Callable[[bytes], bool]) -> None:
    """:class:`WeakKey` for a key that is known to be compromised."""
    if blocklist(spki_sha256):
        raise WeakKey("the key is on the list of compromised keys; make a new one")
