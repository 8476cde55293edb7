"""The verdict on a certificate: a path, the rules along it, and the status of each certificate in it."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from asn1crypto import x509

from ca_core.domain.errors import CaError, InvalidInput
from ca_core.domain.path_validation import (
    EvidenceKind,
    OwnStatus,
    PathVerdict,
    Question,
    Reason,
    RevocationChecking,
    ValidationLimits,
)
from ca_core.validation.algorithms import AlgorithmPolicy, end_of_key, end_of_signature
from ca_core.validation.certificate import link_of, read_certificate, subject_of
from ca_core.validation.engine import check_path
from ca_core.validation.evidence import read_answer, read_list
from ca_core.validation.failure import Failure
from ca_core.validation.fetched import FetchedStatus
from ca_core.validation.revocation import Findings, RevocationCheck
from ca_core.validation.search import Chain, Search
from ca_core.validation.usage import check_usage

log = logging.getLogger(__name__)

CHAINS = 4_096
"""Chains that are kept to be used again."""


@dataclass(frozen=True, kw_only=True)
class KnownChain:
    """A chain that kept every rule but those of revocation, which is looked at anew each time."""

    chain: Chain
    policies: tuple[str, ...]
    begins: datetime
    ends: datetime
    """Between the two it keeps them."""


class PathValidator:
    """Safe to share among threads."""

    def __init__(
        self,
        *,
        limits: ValidationLimits,
        monotonic: Callable[[], float],
        fetched: FetchedStatus | None = None,
        algorithms: AlgorithmPolicy | None = None,
    ) -> None:
        """``fetched`` is where the status of others' certificates comes from; None asks nobody."""
        self._limits = limits
        self._monotonic = monotonic
        self._fetched = fetched
        self._algorithms = algorithms or AlgorithmPolicy()
        self._known: OrderedDict[bytes, KnownChain] = OrderedDict()
        self._lock = Lock()

    def validate(
        self,
        question: Question,
        *,
        anchors: Sequence[bytes],
        own: Sequence[bytes],
        statuses: Callable[[Sequence[bytes]], Sequence[OwnStatus | None]],
        now: datetime,
    ) -> PathVerdict:
        """As :meth:`ca_core.services.ports.PathJudge.validate` says."""
        if len(question.intermediates) > self._limits.candidates:
            raise InvalidInput(f"more than {self._limits.candidates} certificates came with the one in question")
        certificate = read_certificate(question.certificate)
        given = [read_certificate(one) for one in question.intermediates]
        work = _Work(
            question=question,
            certificate=certificate,
            anchors=[read_certificate(one) for one in anchors],
            candidates=[*given, *(read_certificate(one) for one in own)],
            statuses=statuses,
            moment=question.at or now,
            present=question.at is None,
        )
        lists = [read_list(one) for one in question.lists]
        answers = [one for data in question.responses for one in read_answer(data)]
        deadline = self._monotonic() + self._limits.seconds

        def expired() -> bool:
            return self._monotonic() > deadline

        def findings(chain: Chain) -> Findings:
            return RevocationCheck(
                chain,
                work.statuses([one.dump() for one in chain]),
                policy=question.policy,
                moment=work.moment,
                present=work.present,
                algorithms=self._algorithms,
                others=given,
                lists=lists,
                answers=answers,
                fetch=self._fetched.session(self._limits.fetches, expired, now) if self._fetched else None,
            ).run()

        key = work.digest()
        known = self._reusable(key, work.moment)
        if known is not None:
            try:
                return _valid(work, known, findings(known.chain))
            except Failure:
                pass  # another path may hold, and the search tells best what is wrong
        return self._search(work, key, findings, expired)

    def _search(
        self, work: _Work, key: bytes, findings: Callable[[Chain], Findings], expired: Callable[[], bool]
    ) -> PathVerdict:
        search = Search(work.anchors, work.candidates, limits=self._limits, expired=expired)
        first: tuple[Failure, Chain] | None = None
        tried = 0
        try:
            for chain in search.paths(work.certificate):
                tried += 1
                if tried > self._limits.paths:
                    raise Failure(Reason.LIMIT_EXCEEDED, f"has more than {self._limits.paths} paths to an anchor")
                try:
                    known = self._judge(work, chain)
                    found = findings(chain)
                except Failure as failure:
                    first = first or (failure, chain)
                    continue
                self._keep(key, known)
                return _valid(work, known, found)
        except Failure as failure:
            first = first or (failure, tuple(failure.chain) or (work.certificate,))
        assert first is not None, "a search that finds nothing says why"
        return _invalid(work, *first)

    def _judge(self, work: _Work, chain: Chain) -> KnownChain:
        """The rules along the chain, and our own beside them."""
        policy, moment = work.question.policy, work.moment
        try:
            policies = check_path(chain, policy, moment=moment, algorithms=self._algorithms)
        except (Failure, CaError):
            raise
        except NotImplementedError:
            words = "constrains names in a way that is not understood (RFC 5280 section 4.2.1.10)"
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

    def _reusable(self, key: bytes, moment: datetime) -> KnownChain | None:
        with self._lock:
            known = self._known.get(key)
            if known is None or not known.begins <= moment <= known.ends:
                return None
            self._known.move_to_end(key)
            return known

    def _keep(self, key: bytes, known: KnownChain) -> None:
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > CHAINS:
                self._known.popitem(last=False)


@dataclass(frozen=True, kw_only=True)
class _Work:
    question: Question
    certificate: x509.Certificate
    anchors: Sequence[x509.Certificate]
    candidates: Sequence[x509.Certificate]
    statuses: Callable[[Sequence[bytes]], Sequence[OwnStatus | None]]
    moment: datetime
    present: bool

    def digest(self) -> bytes:
        """Of all that a chain depends on but the moment."""
        # Revocation is looked at anew for each verdict, whatever is asked about it.
        policy = replace(self.question.policy, revocation=RevocationChecking.NONE, freshness=None, hold_is_revoked=True)
        whole = hashlib.sha256(self.certificate.sha256 + repr(policy).encode())
        for group in (self.anchors, self.candidates):
            whole.update(b"".join(sorted({one.sha256 for one in group})) + b"|")
        return whole.digest()


def _valid(work: _Work, known: KnownChain, found: Findings) -> PathVerdict:
    chain = known.chain
    until: datetime | None = known.ends
    for one in found.evidence:
        if one.kind is EvidenceKind.STORE or one.next_update is None or until is None:
            until = None
        else:
            until = min(until, one.next_update)
    name = subject_of(work.certificate)
    return PathVerdict(
        valid=True,
        reason=Reason.VALID,
        sentence=f"{name} is valid",
        certificate=0,
        chain=tuple(link_of(one) for one in chain),
        moment=work.moment,
        evidence=tuple(found.evidence),
        unknown=tuple(f"{subject_of(chain[one.position])} {one.words}" for one in found.unknown),
        policies=known.policies,
        reusable_until=None if found.unknown else until,
    )


def _invalid(work: _Work, failure: Failure, chain: Chain) -> PathVerdict:
    place = failure.position
    name = subject_of(chain[place])
    return PathVerdict(
        valid=False,
        reason=failure.reason,
        sentence=f"{name} {failure.words}",
        certificate=place,
        chain=tuple(link_of(one) for one in chain),
        moment=work.moment,
        revoked_at=failure.revoked.since if failure.revoked else None,
        revocation_reason=failure.revoked.reason if failure.revoked else None,
    )
