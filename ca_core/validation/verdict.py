"""What was found, as a verdict."""

from __future__ import annotations

from datetime import datetime

from ca_core.domain.path_validation import EvidenceKind, PathVerdict, Reason
from ca_core.validation.certificate import link_of, subject_of
from ca_core.validation.failure import Failure
from ca_core.validation.known_chains import KnownChain
from ca_core.validation.revocation import Findings
from ca_core.validation.search import Chain


def valid(known: KnownChain, found: Findings, moment: datetime) -> PathVerdict:
    """It is; until when that may be said again."""
    chain = known.chain
    until: datetime | None = known.ends
    for one in found.evidence:
        if one.kind is EvidenceKind.STORE or one.next_update is None or until is None:
            until = None
        else:
            until = min(until, one.next_update)
    return PathVerdict(
        valid=True,
        reason=Reason.VALID,
        sentence=f"{subject_of(chain[0])} is valid",
        certificate=0,
        chain=tuple(link_of(one) for one in chain),
        moment=moment,
        evidence=tuple(found.evidence),
        unknown=tuple(f"{subject_of(chain[one.position])} {one.words}" for one in found.unknown),
        policies=known.policies,
        reusable_until=None if found.unknown else until,
    )


def invalid(failure: Failure, chain: Chain, moment: datetime) -> PathVerdict:
    """It is not, and where and why."""
    place = failure.position
    return PathVerdict(
        valid=False,
        reason=failure.reason,
        sentence=f"{subject_of(chain[place])} {failure.words}",
        certificate=place,
        chain=tuple(link_of(one) for one in chain),
        moment=moment,
        revoked_at=failure.revoked.since if failure.revoked else None,
        revocation_reason=failure.revoked.reason if failure.revoked else None,
    )
