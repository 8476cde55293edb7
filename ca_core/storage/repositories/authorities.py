"""Authorities and their published lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from ca_core.domain.authority import Authority, AuthorityKind, AuthorityState, PublishedCrl
from ca_core.domain.errors import NotFound
from ca_core.storage.repositories.counters import next_value
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import authorities, published_crls

A, P = authorities.c, published_crls.c


class AuthorityRows(EntityRows[Authority]):
    """See :class:`ca_core.services.ports.Authorities`. Authorities are public."""

    what = "authority"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, authorities, Authority)
        self._lists = EntityRows(connection, published_crls, PublishedCrl)
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
        return self._all(self._select().where(A.kind != AuthorityKind.OCSP_RESPONDER).order_by(A.id))

    def responder_for(self, issuer: UUID, now: datetime) -> Authority | None:
        statement = self._select().where(
            A.parent == issuer,
            A.kind == AuthorityKind.OCSP_RESPONDER,
            A.state == AuthorityState.ACTIVE,
            A.not_before <= now,
            A.not_after > now,
        )
        return self._one(statement.order_by(A.not_after.desc()))

    def next_crl_number(self, authority: UUID, partition: int) -> int:
        return next_value(self._connection, f"crl:{authority}:{partition}")

    def publish_crl(self, crl: PublishedCrl) -> None:
        # The trigger compares with what is committed: of two who publish at once, the second waits for the first, or a
        # lower number could come after a higher one (invariant 8). SQLite has one writer anyway and ignores this.
        self._execute(select(A.id).where(A.id == crl.authority).with_for_update(key_share=True))
        self._lists.add(crl)

    def current_crl(self, authority: UUID, partition: int) -> PublishedCrl | None:
        chosen = select(published_crls).where(P.authority == authority, P.partition == partition)
        return self._lists._one(chosen.order_by(P.number.desc()))
