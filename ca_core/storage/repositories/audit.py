"""The audit chain: events gather during the transaction and get their places at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, text

from ca_core.domain.access import Actor
from ca_core.domain.audit import GENESIS, AuditCheckpoint, AuditEvent, AuditRecord, chain
from ca_core.domain.errors import IntegrityAlarm
from ca_core.services.ports import SymmetricKeys
from ca_core.storage.refusals import translated
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import audit_checkpoints, audit_records

R = audit_records.c
CHAIN_LOCK = 0x70656368
"""Of PostgreSQL's advisory locks: whoever appends to the chain holds it to the end of the transaction."""


FEW = 20
"""Records of one page, where the first few have the answer."""


class AuditRows(EntityRows[AuditRecord]):
    """See :class:`ca_core.services.ports.AuditTrail`."""

    def __init__(
        self, connection: Connection, *, actor: Callable[[], Actor], now: datetime, keys: SymmetricKeys
    ) -> None:
        super().__init__(connection, audit_records, AuditRecord)
        self._checkpoints = EntityRows(connection, audit_checkpoints, AuditCheckpoint)
        self._actor = actor
        self._now = now
        self._keys = keys
        self._events: list[AuditEvent] = []

    def record(self, action: str, object_kind: str, object_id: object, **details: object) -> None:
        actor = self._actor()
        try:
            # As it will come back from the database, since the digest is taken over that.
            plain = json.loads(json.dumps(details, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise IntegrityAlarm(f"the record of {action} holds something that is not JSON") from error
        self._events.append(
            AuditEvent(
                at=self._now,
                actor=actor.id,
                actor_name=actor.name,
                action=action,
                object_kind=object_kind,
                object_id=str(object_id),
                details=plain,
            )
        )

    def has_pending(self) -> bool:
        return bool(self._events)

    def write_pending(self) -> None:
        """Put what was recorded into the chain; the last thing a transaction does before its commit."""
        if not self._events:
            return
        key_id, key = self._keys.current("audit")
        if self._connection.dialect.name == "postgresql":
            self._execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=CHAIN_LOCK))
        sequence, previous = self.head()
        rows = []
        for event in self._events:
            sequence += 1
            with translated():  # half a surrogate pair has no bytes to be digested
                record = chain(event, sequence=sequence, previous=previous, key_id=key_id, key=key)
            previous = record.digest
            rows.append(self._values(record))
        self._events.clear()
        self._execute(insert(audit_records), rows)

    def records(
        self, *, after: int | None = 0, limit: int = 1000, object_id: str | None = None
    ) -> Sequence[AuditRecord]:
        statement = self._select().where(R.sequence > (after or 0))
        if object_id is not None:
            statement = statement.where(R.object_id == object_id)
        if after is None:
            return self._all(statement.order_by(R.sequence.desc()).limit(limit))[::-1]
        return self._all(statement.order_by(R.sequence).limit(limit))

    def about(self, object_ids: Collection[str], actions: Collection[str] | None = None) -> Sequence[AuditRecord]:
        chosen = self._select().where(R.object_id.in_(object_ids))
        if actions is not None:
            chosen = chosen.where(R.action.in_(actions))
        return self._all(chosen.order_by(R.sequence))

    def newest(self, object_id: str, action: str) -> Iterator[AuditRecord]:
        chosen = self._select().where(R.object_id == object_id, R.action == action).order_by(R.sequence.desc())
        before: int | None = None
        while page := self._all((chosen if before is None else chosen.where(R.sequence < before)).limit(FEW)):
            yield from page
            before = page[-1].sequence

    def head(self) -> tuple[int, bytes]:
        row = self._execute(select(R.sequence, R.digest).order_by(R.sequence.desc()).limit(1)).first()
        return (0, GENESIS) if row is None else (row.sequence, row.digest)

    def add_checkpoint(self, checkpoint: AuditCheckpoint) -> None:
        self._checkpoints.add(checkpoint)

    def checkpoints(self) -> Sequence[AuditCheckpoint]:
        return self._checkpoints._all(select(audit_checkpoints).order_by(audit_checkpoints.c.sequence))
