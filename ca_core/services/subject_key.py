"""Whether a key may go into a certificate: what the profile takes, and whose key it is already.

How strong it is, :mod:`ca_core.x509.key_policy` says."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import ProfileViolation, WeakKey
from ca_core.domain.profile import Profile


def require_allowed(profile: Profile, algorithm: KeyAlgorithm) -> None:
    """ProfileViolation when the profile does not take keys of that kind."""
    if algorithm not in profile.algorithms:
        raise ProfileViolation(
            f"{profile.key} does not allow {algorithm.value}; use {', '.join(sorted(profile.algorithms))}"
        )


def refuse_key_of_another(owners: Collection[tuple[bytes, UUID]], spki_sha256: bytes, *, owner: UUID) -> None:
    """WeakKey when somebody else has a certificate for it, by what ``key_owners`` found: at least two people hold that
    key."""
    if any(key == spki_sha256 and who != owner for key, who in owners):
        raise WeakKey("this key is in somebody else's certificate; make a new one")
