"""One stretch of a mass revocation, and all that follows for each of its certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.audit import said
from ca_core.domain.certificate import Ground, RevocationReason
from ca_core.domain.mass_revocation import Chosen, MassRevocation
from ca_core.domain.work import JobKind
from ca_core.services.crl_refresh import refresh_list
from ca_core.services.notices import notice_of, queue_notices
from ca_core.services.ports import Transaction
from ca_core.services.revocation import revoke_for_good

STRETCH = 5000
"""Certificates of one transaction."""
LETTERS_AFTER = timedelta(minutes=5)
"""Lists go before letters and events, which are many."""


def revoke_stretch(tx: Transaction, mass: MassRevocation) -> MassRevocation:
    """The next ones, and all that follows from each: its record and ground, its notice, its event, its list."""
    chosen = tx.mass_revocations.revoke_next(mass, STRETCH)
    _record(tx, mass, chosen)
    if mass.reason is RevocationReason.KEY_COMPROMISE:
        tx.certificates.block_keys({one.spki_sha256 for one in chosen}, "keyCompromise", tx.now)
    for issuer, partition in {(one.issuer, one.partition) for one in chosen}:
        refresh_list(tx, issuer, partition)
    done = min(mass.done + STRETCH, mass.count)
    after = replace(mass, done=done, revoked=mass.revoked + len(chosen))
    if done == mass.count:
        after = replace(after, finished_at=tx.now)
        tx.audit.record("revocation.finished", "mass-revocation", mass.id, count=mass.count, revoked=after.revoked)
        if mass.reason is RevocationReason.KEY_COMPROMISE:
            _revoke_newer(tx, mass)
        for issuer, partition in tx.mass_revocations.scopes(mass.id):
            refresh_list(tx, issuer, partition, at_once=str(mass.id))
    return tx.mass_revocations.replace(after)


def _record(tx: Transaction, mass: MassRevocation, chosen: Sequence[Chosen]) -> None:
    grounds = [
        Ground(id=tx.new_id(), certificate=one.id, action="revoked", by=tx.actor.name, at=tx.now, words=mass.words)
        for one in chosen
    ]
    tx.certificates.add_grounds(grounds)
    words = said(mass.words)
    since = mass.invalidity_date.isoformat() if mass.invalidity_date else None
    for one, ground in zip(chosen, grounds, strict=True):
        tx.audit.record(
            "certificate.revoked",
            "certificate",
            one.id,
            serial=one.serial.hex,
            ground=str(ground.id),
            words=words,
            reason=mass.reason.label,
            invalidity_date=since,
            because=f"mass revocation {mass.id}",
        )
    later = tx.now + LETTERS_AFTER
    queue_notices(
        tx,
        [
            notice_of(tx, one.owner, "certificate-revoked", about=one.application, serial=one.serial.hex)
            for one in chosen
            if one.owner != SYSTEM_ACTOR.id
        ],
        run_at=later,
    )
    for one in chosen:
        tx.jobs.enqueue(JobKind.EVENT, {"event": "certificate.revoked", "certificate": str(one.id)}, run_at=later)


def _revoke_newer(tx: Transaction, mass: MassRevocation) -> None:
    """What was issued over one of the compromised keys since it was asked for; now they are blocked."""
    for id in tx.mass_revocations.active_over_keys_of(mass.id):
        newer = tx.certificates.get(id, seen_by=EVERYTHING)
        revoke_for_good(tx, newer, reason=mass.reason, invalidity_date=mass.invalidity_date, because="same key")
