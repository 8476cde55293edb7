"""The audit trail, and its last seal outside the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from ca_core.domain.audit import AuditCheckpoint, AuditRecord


class AuditTrail(Protocol):
    def record(self, action: str, object_kind: str, object_id: object, **details: object) -> None:
        """Record in this transaction (invariant 7): chained and keyed at commit; if that fails, nothing commits.

        ``details`` are JSON values: identifiers and digests (hex), no personal data."""
        ...

    def records(
        self, *, after: int | None = 0, limit: int = 1000, object_id: str | None = None
    ) -> Sequence[AuditRecord]:
        """In their order: those after that sequence, or with None the newest."""
        ...

    def about(self, object_ids: Collection[str], actions: Collection[str] | None = None) -> Sequence[AuditRecord]:
        """All about these objects, at most a few hundred, or these actions only; in their order."""
        ...

    def newest(self, object_id: str, action: str) -> Iterator[AuditRecord]:
        """Of one action on one object, the newest first; asked for page by page."""
        ...

    def head(self) -> tuple[int, bytes]:
        """Sequence and digest of the last record; (0, GENESIS) when there is none."""
        ...

    def add_checkpoint(self, checkpoint: AuditCheckpoint) -> None: ...

    def checkpoints(self) -> Sequence[AuditCheckpoint]: ...


class LastSeal(Protocol):
    """The last checkpoint of the audit chain, kept outside the database: it tells when the chain's end is cut off."""

    def read(self) -> AuditCheckpoint | None:
        """None before the first seal; AuditBroken when what is kept is no checkpoint."""
        ...

    def keep(self, seal: AuditCheckpoint) -> None:
        """Durably; a seal over a later record stays."""
        ...
