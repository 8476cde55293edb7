"""Chains that kept every rule, to be used again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from asn1crypto import x509

from ca_core.domain.path_validation import RevocationChecking, ValidationPolicy
from ca_core.validation.search import Chain

CHAINS = 1_024
"""How many are kept."""


@dataclass(frozen=True, kw_only=True)
class KnownChain:
    """A chain that kept every rule but those of revocation, which is looked at anew each time."""

    chain: Chain
    policies: tuple[str, ...]
    begins: datetime
    ends: datetime
    """From the first until before the second it keeps them."""


class KnownChains:
    """Safe to share among threads; those that were used the longest ago go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, KnownChain] = OrderedDict()
        self._lock = Lock()

    def find(self, key: bytes, moment: datetime) -> KnownChain | None:
        """The chain for what has that digest, if it holds at the moment."""
        with self._lock:
            known = self._known.get(key)
            if known is None or not known.begins <= moment < known.ends:
                return None
            self._known.move_to_end(key)
            return known

    def keep(self, key: bytes, known: KnownChain) -> None:
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > CHAINS:
                self._known.popitem(last=False)


def digest_of(
    certificate: x509.Certificate,
    policy: ValidationPolicy,
    anchors: Iterable[x509.Certificate],
    candidates: Iterable[x509.Certificate],
) -> bytes:
    """Of all that a chain depends on but the moment."""
    # Revocation is looked at anew for each verdict, whatever is asked about it.
    rules = replace(policy, revocation=RevocationChecking.NONE, freshness=None, hold_is_revoked=True)
    whole = hashlib.sha256(certificate.sha256 + repr(rules).encode())
    for group in (anchors, candidates):
        whole.update(b"".join(sorted({one.sha256 for one in group})) + b"|")
    return whole.digest()
