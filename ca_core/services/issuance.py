"""Issuance: from an approved application with its request to a certificate on record (invariants 1 to 7 and 9).

Two short transactions with the signature between them: the first makes the intent durable, the second the result.
Whatever is killed when, no serial is used twice, nothing is signed without a record, and what was acknowledged stays.
Whoever asks at the same time shares both transactions (:mod:`ca_core.services.gathering`); each is refused by himself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from uuid import UUID

from ca_core.domain.access import EVERYTHING, Actor
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError, IntegrityAlarm, NotFound
from ca_core.domain.identifiers import Entropy
from ca_core.services.gathering import Gathering
from ca_core.services.issuance_case import IssuanceCase, record_intents, store_issued
from ca_core.services.issuance_order import Wanted, order_of, require_right
from ca_core.services.ports import KeyStore, Profiles, Transaction, Transactions
from ca_core.services.reconciliation import abandon
from ca_core.services.signing import sign_certificate
from ca_core.services.together import still_open, together

Observer = Callable[[str], None]
"""Told of each step as it is reached: ``serial``, ``lint``, ``intent``, ``sign`` (for each), ``store``."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What would be signed."""

    serial: str
    subject: str
    not_before: datetime
    not_after: datetime
    tbs: bytes


class Issuance:
    """The only way to a subscriber's certificate."""

    def __init__(
        self,
        transactions: Transactions,
        profiles: Profiles,
        keys: KeyStore,
        *,
        base_url: str,
        entropy: Entropy,
        abandon_after: timedelta,
        observe: Observer = lambda _: None,
    ) -> None:
        """``base_url`` goes into CRL, OCSP and AIA addresses; an intent older than ``abandon_after`` has no signer
        any more."""
        self._transactions = transactions
        self._profiles = profiles
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        self._entropy = entropy
        self._abandon_after = abandon_after
        self._observe = observe
        self._gathering = Gathering(self.issue_all)

    def preview(self, actor: Actor, application_id: UUID) -> Prepared:
        """Build and lint what :meth:`issue` would sign; nothing is stored or signed."""
        with self._transactions.read(actor) as tx:
            application = tx.applications.get(application_id, seen_by=actor.visibility)
            require_right(actor, application)
            authorities, at = tx.authorities.all(), tx.now
        wanted = Wanted(actor=actor, application=application_id)
        order = order_of(wanted, application, profiles=self._profiles, authorities=authorities, at=at)
        ticket = order.ticket(base_url=self._base_url, entropy=self._entropy)
        return Prepared(
            serial=ticket.serial.hex,
            subject=ticket.content.subject,
            not_before=ticket.content.not_before,
            not_after=ticket.content.not_after,
            tbs=ticket.content.linted.der,
        )

    def issue(self, actor: Actor, application_id: UUID, *, version: int | None = None) -> Certificate:
        """Issue, or return what was issued already. ``version`` names the row version that the caller saw, and with it
        the request whose key is certified.

        LintFailed when a rule objects, KeyUnavailable when the key cannot be used; TryAgain while another call signs
        for the same application, its outcome is not known yet, or too many wait."""
        outcome = self._gathering.put(Wanted(actor=actor, application=application_id, version=version))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def issue_all(self, wanted: Sequence[Wanted]) -> Sequence[Certificate | Exception]:
        """Issue many, in two transactions: in their order the certificate, or the error, that :meth:`issue` gives."""
        cases = [IssuanceCase(one) for one in wanted]
        while waiting := still_open(cases):
            # Of several who want the same, one is served at a time: the others find what the first was given.
            self._issue(list({case.wanted.application: case for case in reversed(waiting)}.values())[::-1])
        return [case.outcome for case in cases if case.outcome is not None]

    def _issue(self, cases: Sequence[IssuanceCase]) -> None:
        together(self._transactions.read, cases, self._look)
        cases = still_open(cases)
        if not cases:
            return
        self._observe("serial")
        # Before the intent: while the key is away nothing is recorded, and no serial used up.
        signer = cache(self._keys.signer)
        for case in cases:
            with case.step():
                issuer = case.order.issuer
                case.signer = signer(issuer.key_reference, issuer.signature_algorithm)
                case.ticket = case.order.ticket(base_url=self._base_url, entropy=self._entropy)
        self._observe("lint")
        together(
            self._transactions.begin,
            still_open(cases),
            partial(record_intents, abandon_after=self._abandon_after),
        )
        self._observe("intent")
        self._sign_all(still_open(cases))
        together(self._transactions.begin, still_open(cases), store_issued)
        for case in still_open(cases):
            case.outcome = case.issued
        self._observe("store")

    def _look(self, tx: Transaction, cases: Sequence[IssuanceCase]) -> None:
        found = {one.id: one for one in tx.applications.among({case.wanted.application for case in cases})}
        there = {one.certificate for one in found.values() if one.certificate is not None}
        certificates = {one.id: one for one in tx.certificates.among(there)}
        authorities = tx.authorities.all()
        for case in cases:
            with case.step():
                actor, application = case.wanted.actor, found.get(case.wanted.application)
                if application is None or not actor.visibility.covers(
                    owner=application.owner, centre=application.centre
                ):
                    raise NotFound("there is no such application, or none that you may see")
                require_right(actor, application)
                if application.certificate is not None:
                    if application.certificate not in certificates:
                        raise IntegrityAlarm(f"the certificate of application {application.number} is gone")
                    case.outcome = certificates[application.certificate]
                    continue
                case.order = order_of(
                    case.wanted, application, profiles=self._profiles, authorities=authorities, at=tx.now
                )

    def _sign_all(self, cases: Sequence[IssuanceCase]) -> None:
        at_once = max((min(case.signer.parallel, len(cases)) for case in cases), default=1)
        if at_once == 1:
            for case in cases:
                self._sign(case)
        else:
            with ThreadPoolExecutor(at_once, thread_name_prefix="signing") as threads:
                list(threads.map(self._sign, cases))

    def _sign(self, case: IssuanceCase) -> None:
        try:
            case.signed = sign_certificate(case.ticket.content.linted, case.signer)
            self._observe("sign")
        except CaError as failure:
            case.outcome = failure
            with case.step():
                self._give_up(case, failure)

    def _give_up(self, case: IssuanceCase, failure: CaError) -> None:
        """The key was asked, so a signature may exist: the serial counts as revoked from now on."""
        with self._transactions.begin(case.wanted.actor) as tx:
            abandon(tx, tx.certificates.get(case.intent.id, seen_by=EVERYTHING))
        if isinstance(failure, IntegrityAlarm):
            with self._transactions.begin(case.wanted.actor) as tx:
                tx.audit.record("alarm.integrity", "certificate", case.intent.id, detail=failure.detail)
