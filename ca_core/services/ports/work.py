"""The queue of jobs and notices, and the mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.work import Job, JobKind, Notice
from ca_core.services.ports.rows import Page


class JobQueue(Protocol):
    def enqueue(
        self,
        kind: JobKind,
        arguments: Mapping[str, object],
        *,
        dedupe_key: str | None = None,
        run_at: datetime | None = None,
        max_attempts: int = 10,
    ) -> None:
        """Queue in this transaction (invariant 15); with a dedupe key that is known already, nothing happens."""
        ...

    def lease(self, worker: str, *, seconds: int) -> Job | None:
        """Take the next job that is due, or whose lease ran out."""
        ...

    def extend(self, job: Job, *, seconds: int) -> bool:
        """Heartbeat; False when the lease was lost."""
        ...

    def finish(self, job: Job) -> None: ...

    def fail(self, job: Job, error: str, *, retry_at: datetime) -> None:
        """Back to the queue, or dead when out of attempts."""
        ...

    def get(self, id: UUID) -> Job: ...

    def find(self, *, states: Iterable[str] = (), cursor: str | None = None, limit: int = 50) -> Page[Job]: ...

    def revive(self, id: UUID) -> None:
        """Give a dead job new attempts."""
        ...

    def oldest_due(self) -> datetime | None:
        """When the longest-waiting due job should have run."""
        ...

    def add_notice(self, notice: Notice) -> None: ...

    def notice(self, id: UUID) -> Notice: ...

    def mark_sent(self, id: UUID, at: datetime) -> None: ...

    def notices_of(self, account: UUID, *, limit: int = 50) -> Sequence[Notice]: ...

    def notices_about(self, application: UUID) -> Sequence[Notice]:
        """Oldest first."""
        ...


class Mailer(Protocol):
    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        """Hand over to the mail system; TryAgain when it cannot take it now."""
        ...
