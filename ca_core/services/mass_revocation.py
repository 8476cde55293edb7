"""Revokes many certificates: a dry run shows them, one person asks for exactly those, another approves, and the work
is done in stretches, each a transaction, so that whoever is killed in between has lost nothing (invariants 12, 14, 15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.audit import said
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import InvalidInput, Refused, SelfApproval, StaleVersion, WrongState
from ca_core.domain.mass_revocation import Chosen, Intended, MassRevocation, Selection, digest_of
from ca_core.domain.work import Job, JobKind
from ca_core.services.grounds import checked_ground
from ca_core.services.mass_revocation_stretch import revoke_stretch
from ca_core.services.ports import Transaction, Transactions
from ca_core.services.revocation import require_plausible


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would be revoked."""

    count: int
    digest: bytes
    by: Sequence[Mapping[str, object]]
    """``count`` for each ``issuer`` (name), ``profile`` and ``state``."""
    not_found: int
    """Serial numbers that name no certificate which is issued or held."""


class MassRevocationOffice:
    """Asking and approving are two people's; carrying out is the worker's."""

    def __init__(self, transactions: Transactions, *, cap: int) -> None:
        """``cap``: certificates of one mass revocation at most."""
        self._transactions = transactions
        self._cap = cap

    def preview(
        self,
        actor: Actor,
        selection: Selection,
        *,
        reason: RevocationReason,
        because: str,
        invalidity_date: datetime | None = None,
    ) -> Preview:
        """Show it; nothing is changed. InvalidInput for a selection of everything, or for what cannot be said of a
        subscriber's certificate; with keyCompromise all others with one of the keys are among them."""
        actor.require(Permission.CERTIFICATE_REVOKE_MANY)
        with self._transactions.read(actor) as tx:
            intended = _intended(tx, reason, because, invalidity_date)
            chosen = _choose(tx, selection, reason)
            names = {one.id: one.name for one in tx.authorities.all()}
        counts = Counter((one.issuer, one.profile, one.state) for one in chosen)
        return Preview(
            count=len(chosen),
            digest=digest_of(intended, ((one.id, one.serial) for one in chosen)),
            by=[
                {"issuer": names[issuer], "profile": profile, "state": state.value, "count": count}
                for (issuer, profile, state), count in sorted(counts.items(), key=str)
            ],
            not_found=len((selection.serials or frozenset()) - {one.serial for one in chosen}),
        )

    def ask(
        self,
        actor: Actor,
        selection: Selection,
        *,
        reason: RevocationReason,
        because: str,
        invalidity_date: datetime | None = None,
        digest: bytes,
    ) -> MassRevocation:
        """Ask for exactly what the preview of that digest showed: StaleVersion when it would be something else now,
        Refused above the cap."""
        actor.require(Permission.CERTIFICATE_REVOKE_MANY)
        with self._transactions.begin(actor) as tx:
            intended = _intended(tx, reason, because, invalidity_date)
            chosen = _choose(tx, selection, reason)
            if not chosen:
                raise InvalidInput("there is no such certificate to revoke")
            if len(chosen) > self._cap:
                raise Refused(f"these are {len(chosen)} certificates; revocation.cap allows {self._cap} at once")
            if digest_of(intended, ((one.id, one.serial) for one in chosen)) != digest:
                raise StaleVersion("these are other certificates than were shown; look at them again")
            mass = MassRevocation(
                id=tx.new_id(),
                selection=selection.told,
                reason=reason,
                invalidity_date=invalidity_date,
                words=intended.words,
                count=len(chosen),
                digest=digest,
                asked_by=actor.id,
                asked_at=tx.now,
            )
            tx.mass_revocations.add(mass)
            tx.mass_revocations.add_members(mass.id, chosen)
            tx.audit.record(
                "revocation.asked",
                "mass-revocation",
                mass.id,
                selection=selection.told,
                reason=reason.label,
                invalidity_date=invalidity_date and invalidity_date.isoformat(),
                words=said(mass.words),
                count=mass.count,
                digest=digest.hex(),
            )
            return mass

    def approve(self, actor: Actor, id: UUID, *, digest: bytes) -> MassRevocation:
        """Approve what has that digest, and queue it. SelfApproval for whoever asked for it."""
        actor.require(Permission.CERTIFICATE_REVOKE_APPROVE)
        with self._transactions.begin(actor) as tx:
            mass = tx.mass_revocations.get(id, seen_by=EVERYTHING)
            if actor.id == mass.asked_by:
                raise SelfApproval("who asked for it does not approve it; somebody else has to")
            if mass.digest != digest:
                raise StaleVersion("that is the digest of something else; look at what was asked for")
            if mass.approved_by is not None:
                raise WrongState("it is approved already")
            approved = tx.mass_revocations.replace(replace(mass, approved_by=actor.id, approved_at=tx.now))
            tx.audit.record("revocation.approved", "mass-revocation", id, digest=digest.hex())
            tx.jobs.enqueue(JobKind.REVOKE_MANY, {"revocation": str(id)}, dedupe_key=f"revoke-many:{id}")
            return approved

    def get(self, actor: Actor, id: UUID) -> MassRevocation:
        self._require_staff(actor)
        with self._transactions.read(actor) as tx:
            return tx.mass_revocations.get(id, seen_by=EVERYTHING)

    def list(self, actor: Actor) -> Sequence[MassRevocation]:
        """Newest first."""
        self._require_staff(actor)
        with self._transactions.read(actor) as tx:
            return tx.mass_revocations.all()

    def work(self, job: Job) -> None:
        """Handler of the job ``revoke-many``."""
        self.carry_out(UUID(str(job.arguments["revocation"])))

    def carry_out(self, id: UUID, *, progress: Callable[[int], None] = lambda done: None) -> MassRevocation:
        """Go through all that is left of an approved one. Several may do so at once: stretches take turns."""
        while True:
            with self._transactions.begin(SYSTEM_ACTOR) as tx:
                before = tx.mass_revocations.alone(id)
                if before.approved_by is None:
                    raise WrongState("nobody approved it yet")
                if before.finished_at is not None:
                    return before
                after = revoke_stretch(tx, before)
            progress(after.done - before.done)

    def _require_staff(self, actor: Actor) -> None:
        if not actor.may(Permission.CERTIFICATE_REVOKE_APPROVE):
            actor.require(Permission.CERTIFICATE_REVOKE_MANY)


def _intended(tx: Transaction, reason: RevocationReason, because: str, invalidity_date: datetime | None) -> Intended:
    if reason in (RevocationReason.CERTIFICATE_HOLD, RevocationReason.CA_COMPROMISE):
        raise InvalidInput(f"{reason.label} is not said of many certificates", fields={"reason": "choose another"})
    if invalidity_date is not None:
        require_plausible(invalidity_date, now=tx.now)
    return Intended(reason=reason, invalidity_date=invalidity_date, words=checked_ground(tx.actor, because))


def _choose(tx: Transaction, selection: Selection, reason: RevocationReason) -> Sequence[Chosen]:
    if not selection.chooses:
        raise InvalidInput("say which certificates: by issuer, profile, time or serial numbers")
    compromised = reason is RevocationReason.KEY_COMPROMISE
    return tx.mass_revocations.choose(selection, seen_by=tx.actor.visibility, with_their_keys=compromised)
