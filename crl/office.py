"""The office of revocation lists: numbers them, signs them, publishes them, and keeps them fresh (invariant 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import Authority, PublishedCrl, PublishedHead
from ca_core.domain.errors import CaError, Conflict, IntegrityAlarm, InvalidInput, NotFound
from ca_core.domain.work import Job
from ca_core.services.known_at import AHEAD
from ca_core.services.ports import KeyStore, Transaction, Transactions
from crl.continuity import DELTA_ISSUED, delta_object
from crl.draft import Draft
from crl.drafting import Terms, draft_delta, draft_full
from crl.scope import ListScope, scope_of, scopes_of


@dataclass(frozen=True, kw_only=True)
class ListOverview:
    """One list there has to be, and the one there is."""

    name: str
    """``issuing`` or ``issuing/3``; of deltas ``issuing-delta`` or ``issuing/3-delta``."""
    delta: bool
    published: PublishedHead | None


class CrlOffice:
    """Builds lists in four steps, so that no transaction is open while a key signs, and none that writes while entries
    are read:

    1. A transaction takes the next number.
    2. Another, which only reads, sees the entries in one view. It begins after the number was taken, so whoever takes a
       higher number later sees all that was revoked before this builder was called.
    3. Without a transaction: build, lint, sign.
    4. Read the result again as a relying party would; then a transaction publishes it, if the newest list is still the
       one that was the newest in step 2. So each list has a later view than all before it: what is published never goes
       back, and holds every revocation that was committed before its thisUpdate
       (:func:`~ca_core.services.known_at.known_at`). The database refuses a number that is not the highest.

    Whoever is refused in step 4 by a list of the same kind with a higher number was overtaken: that one holds every
    revocation of before the call, and is returned in its place. Otherwise he begins again. A crash or a failing key
    leaves a gap between numbers, which RFC 5280 §5.2.3 allows.

    Nothing is published that silently drops an entry of the former list (:mod:`crl.continuity`). Full lists and deltas
    of one scope share one sequence of numbers (RFC 5280 §5.2.4).
    """

    def __init__(
        self,
        transactions: Transactions,
        keys: KeyStore,
        *,
        base_url: str,
        lifetime: timedelta,
        rebuild_after: timedelta,
        delta_lifetime: timedelta = timedelta(0),
    ) -> None:
        """``base_url`` is the one in certificates; ``lifetime`` is from thisUpdate to nextUpdate; a list older than
        ``rebuild_after``, or than half its lifetime, is built anew by :meth:`tick`. With a ``delta_lifetime`` a change
        makes deltas at once, and full lists come by the timer alone."""
        self._transactions = transactions
        self._keys = keys
        self._terms = Terms(
            base_url=base_url.rstrip("/"),
            lifetime=lifetime,
            rebuild_after=min(rebuild_after, lifetime / 2),
            delta_lifetime=delta_lifetime,
        )

    def issue(
        self, actor: Actor, authority_name: str, *, partition: int | None = None, delta: bool = False
    ) -> Sequence[PublishedCrl]:
        """Sign and publish now: one list, or with ``partition`` None every list of the authority; with ``delta`` the
        deltas to them, or a full list where there is none to build on.

        NotFound for an authority or partition that does not exist, InvalidInput for deltas where none are made,
        KeyUnavailable when the key cannot be used."""
        actor.require(Permission.CRL_ISSUE)
        if delta and not self._terms.delta_lifetime:
            raise InvalidInput("no delta lists are made here; status.crl_delta_hours says for how long one lasts")
        with self._transactions.read(actor) as tx:
            issuer = tx.authorities.by_name(authority_name)
        first = scope_of(issuer, partition or 0)
        scopes = scopes_of(issuer) if partition is None else [first]
        return [self._build(actor, scope, delta=delta) for scope in scopes]

    def publish(self, actor: Actor, draft: Draft, signed: bytes) -> PublishedCrl:
        """Publish the list that was signed for this draft.

        IntegrityAlarm when it does not verify or does not say what the draft says; Conflict when another list of its
        scope was published since its entries were read."""
        actor.require(Permission.CRL_ISSUE)
        draft.verify(signed)
        scope = draft.scope
        with self._transactions.begin(actor) as tx:
            if tx.authorities.newest_crl_number(scope.issuer.id, scope.partition) != draft.follows:
                raise Conflict(f"another list was published meanwhile in the place of {draft.name}")
            crl = PublishedCrl(
                id=tx.new_id(),
                authority=scope.issuer.id,
                partition=scope.partition,
                number=draft.number,
                base=draft.base,
                freshest=draft.freshest is not None,
                this_update=draft.this_update,
                next_update=draft.next_update,
                entries=draft.count,
                der=signed,
                sha256=hashlib.sha256(signed).digest(),
            )
            tx.authorities.publish_crl(crl)
            tx.authorities.forget_changes(draft.seen)
            full = draft.base is None
            tx.audit.record(
                "crl.issued" if full else DELTA_ISSUED,
                "authority" if full else "crl",
                scope.issuer.id if full else delta_object(scope),
                list=draft.name,
                number=crl.number,
                entries=crl.entries,
                sha256=crl.sha256.hex(),
            )
            return crl

    def refresh(self, job: Job) -> None:
        """Handler of the job ``crl``: the lists that a changed certificate stands in, or the deltas to them. Doing it
        twice does no harm."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            try:
                issuer = tx.authorities.get(UUID(str(job.arguments["authority"])), seen_by=EVERYTHING)
                partitions = sorted({int(str(job.arguments["partition"])), 0}, reverse=True)
                scopes = [scope_of(issuer, partition) for partition in partitions]
            except NotFound:
                return  # an authority whose certificate was given up before it came to be, or whose key is elsewhere
        for scope in scopes:
            self._build(SYSTEM_ACTOR, scope, delta=bool(self._terms.delta_lifetime))

    def tick(self) -> int:
        """Build every list that is missing or old; returns how many. Safe to run anywhere, any number at once.

        One list that fails does not stop the others; its error is raised at the end."""
        built = 0
        failures: list[CaError] = []
        for delta in (False, True):  # a delta is due where its base is another now
            with self._transactions.read(SYSTEM_ACTOR) as tx:
                due = [
                    scope
                    for scope, is_delta, crl in self._lists(tx)
                    if is_delta is delta and self._is_due(tx, scope, crl, delta)
                ]
            for scope in due:
                try:
                    self._build(SYSTEM_ACTOR, scope, delta=delta)
                except CaError as failure:
                    failures.append(failure)
            built += len(due)
        if failures:
            raise failures[0]
        return built

    def overview(self) -> Sequence[ListOverview]:
        """Every list there has to be, the complete list of each issuer first, each with the delta to it if there is one
        yet. An issuer whose certificate ended owes none."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return [
                ListOverview(name=scope.delta_name if delta else scope.name, delta=delta, published=crl)
                for scope, delta, crl in self._lists(tx)
                if not delta or crl is not None
            ]

    def published(self, actor: Actor, authority_name: str, partition: int, *, delta: bool = False) -> PublishedCrl:
        """The list that is published now; NotFound when there is none yet."""
        actor.require(Permission.AUTHORITY_VIEW)
        with self._transactions.read(actor) as tx:
            scope = scope_of(tx.authorities.by_name(authority_name), partition)
            found = self._current(tx, scope.issuer.id, partition, delta=delta)
            if found is None:
                name, option = (scope.delta_name, " --delta") if delta else (scope.name, "")
                raise NotFound(f"the list {name} was never issued; run: pechatnik crl issue {authority_name}{option}")
            return _whole(tx, found)

    def current(
        self, key_identifier: str, partition: int, *, delta: bool = False
    ) -> tuple[PublishedHead, timedelta] | None:
        """For relying parties: the list of the issuer with that key identifier (lower-case hex), and the time left
        until its nextUpdate, which is negative when it is overdue."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            issuer = _issuer(tx, key_identifier)
            crl = None if issuer is None else self._current(tx, issuer.id, partition, delta=delta)
            return None if crl is None else (crl, crl.next_update - tx.now)

    def offered(self, actor: Actor) -> Sequence[tuple[Authority, Sequence[PublishedHead]]]:
        """Every issuer whose certificate relying parties can fetch, and the lists of it that they can."""
        actor.require(Permission.STATUS_FOLLOW)
        kinds = (False, True) if self._terms.delta_lifetime else (False,)
        with self._transactions.read(actor) as tx:
            return [
                (
                    issuer,
                    [
                        head
                        for scope in scopes_of(issuer)
                        for delta in kinds
                        if (head := self._current(tx, issuer.id, scope.partition, delta=delta)) is not None
                    ],
                )
                for issuer in tx.authorities.issuers()
            ]

    def bytes_of(self, crl: PublishedHead) -> bytes:
        """The list itself; whoever has it from before need not read it."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return tx.authorities.crl_bytes(crl)

    def issuer(self, key_identifier: str) -> Authority | None:
        """For relying parties: the issuer whose certificate lies at the AIA address of that key identifier."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return _issuer(tx, key_identifier)

    def _current(self, tx: Transaction, authority: UUID, partition: int, *, delta: bool) -> PublishedHead | None:
        # Where none are made any more, the last one is no news of anything.
        if delta and not self._terms.delta_lifetime:
            return None
        return tx.authorities.current_crl(authority, partition, delta=delta)

    def _lists(self, tx: Transaction) -> Iterator[tuple[ListScope, bool, PublishedHead | None]]:
        for issuer in tx.authorities.issuers():
            if tx.now < issuer.not_after:
                for scope in scopes_of(issuer):
                    for delta in (False, True) if self._terms.delta_lifetime else (False,):
                        yield scope, delta, self._current(tx, issuer.id, scope.partition, delta=delta)

    def _is_due(self, tx: Transaction, scope: ListScope, crl: PublishedHead | None, delta: bool) -> bool:
        if crl is None:
            return True
        if delta:
            base = tx.authorities.current_crl(scope.issuer.id, scope.partition)
            outlived = base is not None and crl.base != base.number
        else:
            outlived = crl.freshest is not bool(self._terms.delta_lifetime)
        age = self._terms.delta_lifetime / 2 if delta else self._terms.rebuild_after
        # A list from the future was made before the clock was set back; nobody takes it yet.
        return outlived or tx.now - crl.this_update >= age or crl.this_update > tx.now + AHEAD

    def _build(self, actor: Actor, scope: ListScope, *, delta: bool) -> PublishedCrl:
        issuer = scope.issuer
        while True:
            with self._transactions.begin(actor) as tx:
                number = tx.authorities.next_crl_number(issuer.id, scope.partition)
            try:
                draft = self._draft(actor, scope, number, delta=delta)
                signed = draft.sign(self._keys.signer(issuer.key_reference, issuer.signature_algorithm))
                return self.publish(actor, draft, signed)
            except IntegrityAlarm as alarm:
                with self._transactions.begin(actor) as tx:
                    tx.audit.record("alarm.integrity", "authority", issuer.id, list=scope.name, detail=alarm.detail)
                raise
            except Conflict:
                with self._transactions.read(actor) as tx:
                    newer = tx.authorities.current_crl(issuer.id, scope.partition, delta=draft.base is not None)
                    if newer is not None and newer.number > number:
                        return _whole(tx, newer)

    def _draft(self, actor: Actor, scope: ListScope, number: int, *, delta: bool) -> Draft:
        with self._transactions.read(actor) as tx:
            found = draft_delta(tx, scope, number, self._terms) if delta else None
            return found or draft_full(tx, scope, number, self._terms)


def _whole(tx: Transaction, head: PublishedHead) -> PublishedCrl:
    known = {field.name: getattr(head, field.name) for field in fields(head)}
    return PublishedCrl(**known, der=tx.authorities.crl_bytes(head))


def _issuer(tx: Transaction, key_identifier: str) -> Authority | None:
    return next((one for one in tx.authorities.issuers() if one.key_identifier.hex() == key_identifier), None)
