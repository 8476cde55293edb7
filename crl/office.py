"""The office of revocation lists: numbers them, signs them, publishes them, and keeps them fresh (invariant 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.authority import Authority, PublishedCrl
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError, Conflict, IntegrityAlarm, NotFound
from ca_core.domain.work import Job
from ca_core.services.known_at import AHEAD, known_at
from ca_core.services.ports import KeyStore, Transaction, Transactions
from ca_core.x509.crl import revoked_entry
from crl.continuity import published_before, require_none_lost
from crl.draft import Draft
from crl.scope import ListScope, scope_of, scopes_of


@dataclass(frozen=True, kw_only=True)
class ListOverview:
    """One list there has to be, and the one there is."""

    name: str
    """``issuing`` or ``issuing/3``."""
    published: PublishedCrl | None


class CrlOffice:
    """Builds lists in three steps, so that no transaction is open while a key signs:

    1. One transaction takes the next number, which locks the list's counter, and reads the entries. Since the counter
       stays locked until both are done, a higher number always means a later view of the revocations.
    2. Without a transaction: build, lint, sign.
    3. Read the result again as a relying party would; then a second transaction publishes it, where the database
       refuses a number that is not higher than every earlier one.

    Whoever is refused in step 3 was overtaken by a list with a higher number, so by a later view: that one holds every
    revocation that the slower list holds, and is returned in its place. So what is published never goes back, and
    holds every revocation that was committed before its thisUpdate (:func:`~ca_core.services.known_at.known_at`), and
    before the call. A crash or a failing key leaves a gap between numbers, which RFC 5280 §5.2.3 allows.

    Nothing is published that silently drops an entry of the former list (:mod:`crl.continuity`).
    """

    def __init__(
        self,
        transactions: Transactions,
        keys: KeyStore,
        *,
        base_url: str,
        lifetime: timedelta,
        rebuild_after: timedelta,
    ) -> None:
        """``base_url`` is the one in certificates; ``lifetime`` is from thisUpdate to nextUpdate; a list older than
        ``rebuild_after``, or than half its lifetime, is built anew by :meth:`tick`."""
        self._transactions = transactions
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        self._lifetime = lifetime
        self._rebuild_after = min(rebuild_after, lifetime / 2)

    def issue(self, actor: Actor, authority_name: str, *, partition: int | None = None) -> Sequence[PublishedCrl]:
        """Sign and publish now: one list, or with ``partition`` None every list of the authority.

        NotFound for an authority or partition that does not exist, KeyUnavailable when the key cannot be used."""
        actor.require(Permission.CRL_ISSUE)
        with self._transactions.read(actor) as tx:
            issuer = tx.authorities.by_name(authority_name)
        first = scope_of(issuer, partition or 0)
        return [self._build(actor, scope) for scope in (scopes_of(issuer) if partition is None else [first])]

    def publish(self, actor: Actor, draft: Draft, signed: bytes) -> PublishedCrl:
        """Publish the list that was signed for this draft, or return the newer one that is there.

        IntegrityAlarm when it does not verify or does not say what the draft says."""
        actor.require(Permission.CRL_ISSUE)
        draft.verify(signed)
        authority, partition = draft.scope.issuer.id, draft.scope.partition
        try:
            with self._transactions.begin(actor) as tx:
                crl = PublishedCrl(
                    id=tx.new_id(),
                    authority=authority,
                    partition=partition,
                    number=draft.number,
                    this_update=draft.this_update,
                    next_update=draft.next_update,
                    entries=len(draft.entries),
                    der=signed,
                    sha256=hashlib.sha256(signed).digest(),
                )
                tx.authorities.publish_crl(crl)
                tx.audit.record(
                    "crl.issued",
                    "authority",
                    authority,
                    list=draft.scope.name,
                    number=crl.number,
                    entries=crl.entries,
                    sha256=crl.sha256.hex(),
                )
                return crl
        except Conflict:
            with self._transactions.read(actor) as tx:
                newer = tx.authorities.current_crl(authority, partition)
            if newer is None or newer.number <= draft.number:
                raise
            return newer

    def refresh(self, job: Job) -> None:
        """Handler of the job ``crl``: the lists that a changed certificate stands in. Doing it twice does no harm."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            try:
                issuer = tx.authorities.get(UUID(str(job.arguments["authority"])), seen_by=EVERYTHING)
            except NotFound:
                return  # an authority whose own certificate was given up before it came to be
        for partition in sorted({int(str(job.arguments["partition"])), 0}, reverse=True):
            self._build(SYSTEM_ACTOR, scope_of(issuer, partition))

    def tick(self) -> int:
        """Build every list that is missing or old; returns how many. Safe to run anywhere, any number at once.

        One list that fails does not stop the others; its error is raised at the end."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            due = [scope for scope, crl in _lists(tx) if self._is_due(crl, tx.now)]
        failures: list[CaError] = []
        for scope in due:
            try:
                self._build(SYSTEM_ACTOR, scope)
            except CaError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
        return len(due)

    def overview(self) -> Sequence[ListOverview]:
        """Every list there has to be, the complete list of each issuer first. An issuer whose certificate ended owes
        none."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return [ListOverview(name=scope.name, published=crl) for scope, crl in _lists(tx)]

    def published(self, actor: Actor, authority_name: str, partition: int) -> PublishedCrl:
        """The list that is published now; NotFound when there is none yet."""
        actor.require(Permission.AUTHORITY_VIEW)
        with self._transactions.read(actor) as tx:
            scope = scope_of(tx.authorities.by_name(authority_name), partition)
            found = tx.authorities.current_crl(scope.issuer.id, partition)
        if found is None:
            raise NotFound(f"the list {scope.name} was never issued; run: pechatnik crl issue {authority_name}")
        return found

    def current(self, key_identifier: str, partition: int) -> tuple[PublishedCrl, timedelta] | None:
        """For relying parties: the list of the issuer with that key identifier (lower-case hex), and the time left
        until its nextUpdate, which is negative when it is overdue."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            issuer = _issuer(tx, key_identifier)
            crl = None if issuer is None else tx.authorities.current_crl(issuer.id, partition)
            return None if crl is None else (crl, crl.next_update - tx.now)

    def issuer(self, key_identifier: str) -> Authority | None:
        """For relying parties: the issuer whose certificate lies at the AIA address of that key identifier."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return _issuer(tx, key_identifier)

    def _is_due(self, crl: PublishedCrl | None, now: datetime) -> bool:
        # A list from the future was made before the clock was set back; nobody takes it yet.
        return crl is None or now - crl.this_update >= self._rebuild_after or crl.this_update > now + AHEAD

    def _build(self, actor: Actor, scope: ListScope) -> PublishedCrl:
        issuer = scope.issuer
        try:
            draft = self._draft(actor, scope)
            signed = draft.sign(self._keys.signer(issuer.key_reference, issuer.signature_algorithm))
            return self.publish(actor, draft, signed)
        except IntegrityAlarm as alarm:
            with self._transactions.begin(actor) as tx:
                tx.audit.record("alarm.integrity", "authority", issuer.id, list=scope.name, detail=alarm.detail)
            raise

    def _draft(self, actor: Actor, scope: ListScope) -> Draft:
        with self._transactions.begin(actor) as tx:
            number = tx.authorities.next_crl_number(scope.issuer.id, scope.partition)
            previous = published_before(tx, scope)
            # RFC 5280 §3.3: an entry stays until a regular list was issued after its certificate expired.
            since = (tx.now if previous is None else previous.this_update) - self._rebuild_after
            revoked = [
                (row.serial, row.revoked_at or row.created_at, row.reason, row.invalidity_date)
                for row in _within(
                    scope,
                    tx.certificates.revoked(scope.issuer.id, scope.partition or None, unexpired_at=since),
                )
            ]
            if previous is not None:
                require_none_lost(tx, scope, previous, {serial.value for serial, _, _, _ in revoked})
            this_update = known_at(tx.now, (revoked_at for _, revoked_at, _, _ in revoked))
        return Draft(
            scope=scope,
            number=number,
            this_update=this_update,
            next_update=this_update + self._lifetime,
            entries=[
                revoked_entry(serial, min(revoked_at, this_update), reason, invalidity)
                for serial, revoked_at, reason, invalidity in revoked
            ],
            distribution_point=scope.distribution_point(self._base_url),
        )


def _lists(tx: Transaction) -> Iterator[tuple[ListScope, PublishedCrl | None]]:
    for issuer in tx.authorities.issuers():
        if tx.now < issuer.not_after:
            for scope in scopes_of(issuer):
                yield scope, tx.authorities.current_crl(issuer.id, scope.partition)


def _issuer(tx: Transaction, key_identifier: str) -> Authority | None:
    return next((one for one in tx.authorities.issuers() if one.key_identifier.hex() == key_identifier), None)


def _within(scope: ListScope, rows: Iterator[Certificate]) -> Iterator[Certificate]:
    """The rows, each checked to belong into the list; IntegrityAlarm at the first that does not."""
    for row in rows:
        if row.issuer != scope.issuer.id or scope.partition not in (0, row.partition):
            raise IntegrityAlarm(f"certificate {row.serial} does not belong into the list {scope.name}")
        yield row
