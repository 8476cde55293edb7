"""Which public keys the authority refuses to certify (invariant 5), one rule per module."""

from ca_core.x509.key_policy.known_weak import read_known_weak
from ca_core.x509.key_policy.policy import check_not_blocked, check_public_key

__all__ = ["check_not_blocked", "check_public_key", "read_known_weak"]
