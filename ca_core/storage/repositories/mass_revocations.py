"""Revocations of many certificates at once: statements over sets of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, case, false, insert, literal, select, update

from ca_core.domain.access import Visibility
from ca_core.domain.certificate import CertificateState
from ca_core.domain.identifiers import Serial
from ca_core.domain.mass_revocation import Chosen, MassRevocation, Selection
from ca_core.storage.repositories.certificates import CertificateRows
from ca_core.storage.rows import EntityRows, words
from ca_core.storage.tables import authorities, certificates, mass_revocation_members, mass_revocations

C, M = certificates.c, mass_revocation_members.c
ACTIVE = C.state.in_(words((CertificateState.ISSUED, CertificateState.HELD)))
_CHOSEN = [C[name] for name in Chosen._fields]
AT_ONCE = 5000
"""Serial numbers of one statement."""


class MassRevocationRows(EntityRows[MassRevocation]):
    """See :class:`ca_core.services.ports.MassRevocations`."""

    what = "mass revocation"

    def __init__(self, connection: Connection, own: CertificateRows, *, now: datetime) -> None:
        super().__init__(connection, mass_revocations, MassRevocation)
        self._own = own
        self._now = now

    def choose(self, selection: Selection, *, seen_by: Visibility, with_their_keys: bool) -> Sequence[Chosen]:
        found: dict[UUID, Chosen] = {}
        for condition in _conditions(selection):
            wanted = condition & ACTIVE & self._own._visible(seen_by)
            if with_their_keys:
                wanted = ACTIVE & C.spki_sha256.in_(select(C.spki_sha256).where(wanted))
            wanted &= C.id.not_in(select(authorities.c.certificate_id))
            found |= {row.id: Chosen._make(row) for row in self._execute(select(*_CHOSEN).where(wanted))}
        return [found[id] for id in sorted(found)]

    def add_members(self, id: UUID, chosen: Sequence[Chosen]) -> None:
        rows = [
            {"revocation": id, "position": position, "certificate": one.id} for position, one in enumerate(chosen, 1)
        ]
        if rows:
            self._execute(insert(mass_revocation_members), rows)

    def members(self, id: UUID) -> Iterator[tuple[UUID, Serial]]:
        joined = select(C.id, C.serial).join(mass_revocation_members, C.id == M.certificate)
        for row in self._execute(joined.where(M.revocation == id).order_by(M.position)):
            yield row.id, row.serial

    def all(self) -> Sequence[MassRevocation]:
        return self._all(self._select().order_by(mass_revocations.c.id.desc()))

    def alone(self, id: UUID) -> MassRevocation:
        # SQLite has one writer anyway and ignores this.
        (row,) = self._all(self._select().where(mass_revocations.c.id == id).with_for_update())
        return row

    def revoke_next(self, mass: MassRevocation, count: int) -> Sequence[Chosen]:
        these = C.id.in_(
            select(M.certificate).where(
                M.revocation == mass.id, M.position > mass.done, M.position <= mass.done + count
            )
        )
        rows = self._execute(select(*_CHOSEN).where(these, ACTIVE).order_by(C.id).with_for_update())
        chosen = [Chosen._make(row) for row in rows]
        changes: dict[str, Any] = {
            "state": CertificateState.REVOKED,
            # RFC 5280 §5.3.1: a held certificate that is revoked keeps the date it was put on hold.
            "revoked_at": case(
                (C.state == CertificateState.HELD, C.revoked_at), else_=literal(self._now, C.revoked_at.type)
            ),
            "reason": mass.reason,
            "held_by": None,
            "invalidity_date": mass.invalidity_date,
            "version": C.version + 1,
        }
        self._execute(update(certificates).where(these, ACTIVE).values(changes))
        self._own.changed.update((one.issuer, one.serial) for one in chosen)
        return chosen

    def passed_over(self, mass: MassRevocation) -> Sequence[Serial]:
        joined = select(C.serial).join(mass_revocation_members, C.id == M.certificate)
        left = joined.where(M.revocation == mass.id, M.position <= mass.done, ACTIVE).order_by(M.position)
        return self._execute(left.limit(1)).scalars().all()

    def scopes(self, id: UUID) -> Sequence[tuple[UUID, int]]:
        joined: Select[Any] = select(C.issuer, C.partition).join(mass_revocation_members, C.id == M.certificate)
        return [(row.issuer, row.partition) for row in self._execute(joined.where(M.revocation == id).distinct())]

    def active_over_keys_of(self, id: UUID) -> Sequence[UUID]:
        keys = select(C.spki_sha256).join(mass_revocation_members, C.id == M.certificate).where(M.revocation == id)
        return self._execute(select(C.id).where(C.spki_sha256.in_(keys), ACTIVE)).scalars().all()


def _conditions(selection: Selection) -> Iterator[ColumnElement[bool]]:
    """One for each statement; whoever chooses nothing gets nothing."""
    base: list[ColumnElement[bool]] = []
    if selection.issuer is not None:
        base.append(C.issuer == selection.issuer)
    if selection.profile is not None:
        base.append(C.profile == selection.profile)
    if selection.valid_from is not None:
        base.append(C.not_before >= selection.valid_from)
    if selection.valid_before is not None:
        base.append(C.not_before < selection.valid_before)
    if selection.serials is None:
        condition = false() if not base else base[0]
        for one in base[1:]:
            condition &= one
        yield condition
        return
    serials = sorted(selection.serials)
    for at in range(0, len(serials), AT_ONCE):
        condition = C.serial.in_(serials[at : at + AT_ONCE])
        for one in base:
            condition &= one
        yield condition
