"""Time stamps (RFC 3161): each is in the archive before anybody has it, and time never goes back.

Whoever asks at the same time is served together (:mod:`ca_core.services.gathering`): one transaction, in which the
archive is locked, the clocks are looked at, the key signs, and the tokens are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from ca_core.domain.access import EVERYTHING, Actor, Permission
from ca_core.domain.authority import Authority, AuthorityState
from ca_core.domain.errors import NotFound, TimestampRefused
from ca_core.domain.identifiers import Entropy, Serial
from ca_core.domain.pki_failure import PkiFailure
from ca_core.domain.timestamp import LastTimestamp, Timestamp, timestamps_digest
from ca_core.services.gathering import Gathering
from ca_core.services.ports import Clock, KeyStore, Profiles, Transaction, Transactions
from ca_core.services.signing import signatures_over
from ca_core.services.time_stamping_units import Unit
from ca_core.services.timestamp_token import Draft, TokenComposer
from ca_core.services.together import Case, still_open, together
from ca_core.x509.timestamp import TimestampRequest
from ca_core.x509.tst_info import MICROSECOND


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the authority states in its tokens."""

    accuracy: timedelta
    """Also how far clocks may disagree."""
    ordering: bool = False
    """Whether tokens are ordered by genTime alone: each has one of its own."""
    policies: tuple[str, ...] = ()
    """OIDs of those that may be asked for, the default first; empty: those of the pack of the authority's profile."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One token that somebody asks for."""

    actor: Actor
    request: TimestampRequest


class _StampCase(Case[bytes]):
    draft: Draft
    token: bytes

    def __init__(self, asked: Asked) -> None:
        self.actor = asked.actor
        self.request = asked.request


class Timestamping:
    """The only way to a token."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        keys: KeyStore,
        *,
        terms: Terms,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """``clock`` is asked within the transaction, once nobody else stamps."""
        self._transactions = transactions
        self._profiles = profiles
        self._keys = keys
        self._terms = terms
        self._clock = clock
        self._entropy = entropy
        self._gathering = Gathering(self.stamp_all)

    def stamp(self, actor: Actor, request: TimestampRequest) -> bytes:
        """The DER TimeStampToken. TimestampRefused with the reason; KeyUnavailable when the key cannot be used,
        TryAgain when too many wait."""
        actor.require(Permission.TIMESTAMP_ISSUE)
        outcome = self._gathering.put(Asked(actor=actor, request=request))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stamp_all(self, asked: Sequence[Asked]) -> Sequence[bytes | Exception]:
        """Many in one transaction: in their order the token, or the error, that :meth:`stamp` gives."""
        cases = [_StampCase(one) for one in asked]
        together(self._transactions.begin, cases, self._stamp)
        for case in still_open(cases):
            case.outcome = case.token
        return [case.outcome for case in cases if case.outcome is not None]

    def _stamp(self, tx: Transaction, cases: Sequence[_StampCase]) -> None:
        try:
            composer, policies = self._authority(tx)
            last = tx.timestamps.last(composer.authority.id)
            moment = self._moment(tx, last)
        except TimestampRefused as refused:  # of all alike, so that none is tried alone
            for case in cases:
                case.outcome = refused
            return
        for case in cases:
            with case.step():
                case.draft = composer.draft(
                    case.request,
                    policy=_policy(case.request, policies),
                    serial=Serial.random(self._entropy),
                    gen_time=moment,
                )
                if self._terms.ordering:
                    moment += MICROSECOND
        # By who asked, and so by one record for each: within a batch no order is promised but that of genTime.
        drawn = sorted(still_open(cases), key=lambda case: (case.draft.info.gen_time, case.actor.id))
        signatures = signatures_over([case.draft.linted for case in drawn], composer.signer)
        rows = []
        for sequence, (case, signature) in enumerate(zip(drawn, signatures, strict=True), start=last.sequence + 1):
            case.token = composer.token(case.draft, signature)
            rows.append(_row(sequence, composer.authority, case))
        tx.timestamps.add_all(rows)
        for actor, group in groupby(zip(drawn, rows, strict=True), key=lambda pair: pair[0].actor):
            _record(tx, actor, [row for _, row in group])

    def _authority(self, tx: Transaction) -> tuple[TokenComposer, Sequence[str]]:
        """Who signs now, and the policies that it knows."""
        now = self._clock()
        units = (Unit(authority=one) for one in tx.authorities.active_tsas(now))
        for unit in sorted(units, key=lambda unit: unit.signs_until, reverse=True):
            above = _above(tx, unit.authority)
            if unit.signs_until <= now or any(one.state is AuthorityState.REVOKED for one in above or ()):
                continue
            signer = self._keys.signer(unit.authority.key_reference, unit.authority.signature_algorithm)
            composer = TokenComposer(
                unit.authority,
                signer,
                # The root's own is what a verifier has to have already.
                chain=None if above is None else [one.certificate for one in above if one.parent is not None],
                accuracy=self._terms.accuracy,
                ordering=self._terms.ordering,
            )
            return composer, self._terms.policies or self._of_pack(tx, unit.authority)
        raise TimestampRefused("there is no time-stamping authority that signs now")

    def _of_pack(self, tx: Transaction, authority: Authority) -> Sequence[str]:
        (certificate,) = tx.certificates.among([authority.certificate_id])
        policies = self._profiles.pack(certificate.profile.partition("/")[0]).timestamp_policies
        if not policies:
            raise TimestampRefused("there is no policy to stamp under")
        return policies

    def _moment(self, tx: Transaction, last: LastTimestamp) -> datetime:
        """What time it is, never before the last token's. TimestampRefused when that cannot be told accurately."""
        now = self._clock()
        if abs(tx.timestamps.clock() - now) > self._terms.accuracy:
            raise TimestampRefused("the clocks of the authority disagree", failure=PkiFailure.TIME_NOT_AVAILABLE)
        if last.gen_time is None:
            return now
        if last.gen_time - now > self._terms.accuracy:
            raise TimestampRefused(
                "the authority's clock is behind its last token", failure=PkiFailure.TIME_NOT_AVAILABLE
            )
        return max(now, last.gen_time + MICROSECOND if self._terms.ordering else last.gen_time)


def _policy(request: TimestampRequest, policies: Sequence[str]) -> str:
    if request.policy is None:
        return policies[0]
    if request.policy not in policies:
        raise TimestampRefused("the authority does not stamp under this policy", failure=PkiFailure.UNACCEPTED_POLICY)
    return request.policy


def _above(tx: Transaction, authority: Authority) -> Sequence[Authority] | None:
    """Those above it, its issuer first; None when one of them is not here."""
    found: list[Authority] = []
    try:
        while authority.parent is not None:
            authority = tx.authorities.get(authority.parent, seen_by=EVERYTHING)
            found.append(authority)
    except NotFound:
        return None
    return found


def _row(sequence: int, authority: Authority, case: _StampCase) -> Timestamp:
    info = case.draft.info
    return Timestamp(
        sequence=sequence,
        tsa=authority.id,
        serial=info.serial,
        gen_time=info.gen_time,
        policy=info.policy,
        hash_algorithm=info.imprint.algorithm,
        imprint_sha256=hashlib.sha256(info.imprint.digest).digest(),
        requested_by=case.actor.id,
        der=case.token,
    )


def _record(tx: Transaction, actor: Actor, rows: Sequence[Timestamp]) -> None:
    with tx.on_behalf_of(actor):
        tx.audit.record(
            "timestamps.issued",
            "timestamp",
            rows[0].sequence,
            last=rows[-1].sequence,
            digest=timestamps_digest(rows).hex(),
        )
