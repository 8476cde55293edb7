"""The rules along a chain: those of RFC 5280 §6.1 but for revocation, and our own beside them."""

from __future__ import annotations

import logging
from datetime import datetime

from ca_core.domain.errors import CaError
from ca_core.domain.path_validation import Reason, ValidationPolicy
from ca_core.validation.algorithms import AlgorithmPolicy, end_of_key, end_of_signature
from ca_core.validation.engine import check_path
from ca_core.validation.failure import Failure
from ca_core.validation.known_chains import KnownChain
from ca_core.validation.search import Chain
from ca_core.validation.usage import check_usage

log = logging.getLogger(__name__)


def judge_chain(chain: Chain, policy: ValidationPolicy, *, moment: datetime, algorithms: AlgorithmPolicy) -> KnownChain:
    """Failure where one is broken."""
    try:
        policies = check_path(chain, policy, moment=moment, algorithms=algorithms)
    except (Failure, CaError):
        raise
    except NotImplementedError:
        words = "has names under a constraint that is not understood (RFC 5280 section 4.2.1.10)"
        raise Failure(Reason.CRITICAL_EXTENSION, words) from None
    # The engine takes asn1crypto's word for what foreign bytes hold, and stumbles where they hold something else.
    except Exception as fault:
        log.warning("a certificate path cannot be judged: %s", type(fault).__name__)
        raise Failure(Reason.MALFORMED, "or one above it holds values that cannot be understood") from None
    anchor, place = chain[-1], len(chain) - 1
    if moment > anchor.not_valid_after:
        words = f"ended on {anchor.not_valid_after:%Y-%m-%d %H:%M:%S} UTC"
        raise Failure(Reason.EXPIRED, words, position=place)
    if moment < anchor.not_valid_before:
        words = f"is valid from {anchor.not_valid_before:%Y-%m-%d %H:%M:%S} UTC"
        raise Failure(Reason.NOT_YET_VALID, words, position=place)
    ends = min(one.not_valid_after for one in chain)
    for place, one in enumerate(chain):
        end, why = end_of_key(one.public_key)
        if moment >= end:
            raise Failure(Reason.WEAK_ALGORITHM, f"has a weak key: {why}", position=place)
        ends = min(ends, end)
    ends = min([ends, *(end_of_signature(one["signature_algorithm"])[0] for one in chain[:-1])])
    check_usage(chain[0], policy)
    return KnownChain(
        chain=chain, policies=tuple(policies), begins=max(one.not_valid_before for one in chain), ends=ends
    )
