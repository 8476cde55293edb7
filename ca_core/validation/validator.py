"""The verdict on a certificate: a path, the rules along it, and the status of each certificate in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from ca_core.domain.errors import InvalidInput
from ca_core.domain.path_validation import OwnStatus, PathVerdict, Question, Reason, ValidationLimits
from ca_core.validation.algorithms import AlgorithmPolicy
from ca_core.validation.certificate import read_certificate
from ca_core.validation.chain_rules import judge_chain
from ca_core.validation.evidence import read_answer, read_list
from ca_core.validation.failure import Failure
from ca_core.validation.fetched import FetchedStatus
from ca_core.validation.known_chains import KnownChain, KnownChains, digest_of
from ca_core.validation.revocation import Findings, RevocationCheck
from ca_core.validation.search import Chain, Search
from ca_core.validation.verdict import invalid, valid


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
        self._known = KnownChains()

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
        candidates = [*given, *(read_certificate(one) for one in own)]
        trusted = [read_certificate(one) for one in anchors]
        moment, policy = question.at or now, question.policy
        lists = [read_list(one) for one in question.lists]
        answers = [one for data in question.responses for one in read_answer(data)]
        deadline = self._monotonic() + self._limits.seconds

        def expired() -> bool:
            return self._monotonic() > deadline

        fetch = self._fetched.session(self._limits.fetches, expired, now) if self._fetched else None

        def findings(chain: Chain) -> Findings:
            return RevocationCheck(
                chain,
                statuses([one.dump() for one in chain]),
                policy=policy,
                moment=moment,
                present=question.at is None,
                algorithms=self._algorithms,
                others=given,
                lists=lists,
                answers=answers,
                fetch=fetch,
            ).run()

        def judge(chain: Chain) -> tuple[KnownChain, Findings]:
            known = judge_chain(chain, policy, moment=moment, algorithms=self._algorithms)
            return known, findings(chain)

        key = digest_of(certificate, policy, trusted, candidates)
        known = self._known.find(key, moment)
        if known is not None:
            with contextlib.suppress(Failure):  # another path may hold, and the search tells best what is wrong
                return valid(known, findings(known.chain), moment)
        try:
            search = Search(trusted, candidates, limits=self._limits, expired=expired)
            known, found = self._first(search.paths(certificate), judge)
        except Failure as failure:
            return invalid(failure, tuple(failure.chain) or (certificate,), moment)
        self._known.keep(key, known)
        return valid(known, found, moment)

    def _first(
        self, paths: Iterator[Chain], judge: Callable[[Chain], tuple[KnownChain, Findings]]
    ) -> tuple[KnownChain, Findings]:
        """The first path that holds; Failure, where none does, of the first that was found."""
        first: Failure | None = None
        try:
            for tried, chain in enumerate(paths):
                if tried >= self._limits.paths:
                    raise Failure(Reason.LIMIT_EXCEEDED, f"has more than {self._limits.paths} paths to an anchor")
                try:
                    return judge(chain)
                except Failure as failure:
                    failure.chain = chain
                    first = first or failure
        except Failure as failure:
            raise first or failure from None
        assert first is not None, "a search that finds nothing says why"
        raise first
