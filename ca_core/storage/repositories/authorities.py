"""Authorities and their published lists."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, select

from ca_core.domain.authority import (
    ISSUERS,
    Authority,
    AuthorityKind,
    AuthorityState,
    PublishedCrl,
    PublishedHead,
)
from ca_core.domain.errors import NotFound
from ca_core.storage.repositories.counters import begin_at, next_value
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import authorities, crl_changes, published_crls

A, P, N = authorities.c, published_crls.c, crl_changes.c
_PIECE = {"sqlite": 1 << 30, "postgresql": 1 << 20}
"""Octets of a list that are read at once. What PostgreSQL's driver holds of them is several times as much, and it keeps
the room; SQLite, which holds none, finds a later piece by reading all before it."""
_NOTES = 5_000


class AuthorityRows(EntityRows[Authority]):
    """See :class:`ca_core.services.ports.Authorities`. Authorities are public."""

    what = "authority"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, authorities, Authority)
        self._lists = EntityRows(connection, published_crls, PublishedCrl)
        self._heads = EntityRows(connection, published_crls, PublishedHead)
        self.changed: set[UUID] = set()
        """Authorities about whose certificates something else may have to be said after this transaction."""

    def replace(self, row: Authority) -> Authority:
        self.changed |= {row.id} if row.parent is None else {row.id, row.parent}
        return super().replace(row)

    def by_name(self, name: str) -> Authority:
        found = self._one(self._select().where(A.name == name))
        if found is None:
            raise NotFound(f"there is no authority named {name[:64]!r}; 'pechatnik ca show' lists them")
        return found

    def all(self) -> Sequence[Authority]:
        return self._all(self._select().order_by(A.id))

    def issuers(self) -> Sequence[Authority]:
        return self._all(self._select().where(A.kind.in_(ISSUERS)).order_by(A.id))

    def responder_for(self, issuer: UUID, now: datetime) -> Authority | None:
        statement = self._select().where(
            A.parent == issuer,
            A.kind == AuthorityKind.OCSP_RESPONDER,
            A.state == AuthorityState.ACTIVE,
            A.not_before <= now,
            A.not_after > now,
        )
        return self._one(statement.order_by(A.not_after.desc()))

    def active_tsas(self, now: datetime) -> Sequence[Authority]:
        statement = self._select().where(
            A.kind == AuthorityKind.TSA,
            A.state == AuthorityState.ACTIVE,
            A.not_before <= now,
            A.not_after > now,
        )
        return self._all(statement.order_by(A.not_after.desc(), A.id.desc()))

    def next_crl_number(self, authority: UUID, partition: int) -> int:
        return next_value(self._connection, f"crl:{authority}:{partition}")

    def newest_crl_number(self, authority: UUID, partition: int) -> int:
        self._lock_lists(authority)
        chosen = select(func.max(P.number)).where(P.authority == authority, P.partition == partition)
        return self._execute(chosen).scalar_one() or 0

    def continue_crl_numbers(self, authority: UUID, last: int) -> None:
        begin_at(self._connection, f"crl:{authority}:0", last)

    def publish_crl(self, crl: PublishedCrl) -> None:
        self._lock_lists(crl.authority)
        self._lists.add(crl)

    def _lock_lists(self, authority: UUID) -> None:
        # The trigger compares with what is committed: of two who publish at once, the second waits for the first, or a
        # lower number could come after a higher one (invariant 8). SQLite has one writer anyway and ignores this.
        self._execute(select(A.id).where(A.id == authority).with_for_update(key_share=True))

    def current_crl(self, authority: UUID, partition: int, *, delta: bool = False) -> PublishedHead | None:
        of = P.base.is_not(None) if delta else P.base.is_(None)
        chosen = self._heads._select().where(P.authority == authority, P.partition == partition, of)
        return self._heads._one(chosen.order_by(P.number.desc()))

    def crl_bytes(self, crl: PublishedHead) -> bytes:
        size = _PIECE[self._connection.dialect.name]
        pieces: list[bytes] = []
        while not pieces or len(pieces[-1]) == size:
            piece = func.substr(P.der, len(pieces) * size + 1, size, type_=P.der.type)
            # Of nothing SQLite has no part.
            pieces.append(self._execute(select(piece).where(P.id == crl.id)).scalar_one() or b"")
        return b"".join(pieces)

    def noted_changes(self, authority: UUID, partition: int) -> Sequence[int]:
        chosen = select(N.id).where(N.authority == authority, N.partition == partition).order_by(N.id)
        return array("q", self._execute(chosen).scalars())

    def forget_changes(self, notes: Sequence[int]) -> None:
        for start in range(0, len(notes), _NOTES):
            self._execute(delete(crl_changes).where(N.id.in_(list(notes[start : start + _NOTES]))))
