"""The queue of jobs, and notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Insert, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.access import EVERYTHING
from ca_core.domain.work import Job, JobState, Notice, NoticeState
from ca_core.services.ports import Page
from ca_core.storage.rows import EntityRows, read_id_cursor, words, write_cursor
from ca_core.storage.tables import jobs, notices

J = jobs.c
WAITING = (JobState.NEW, JobState.FAILED)
LONGEST_ERROR = 500
"""Characters kept of an error."""


class JobRows(EntityRows[Job]):
    """See :class:`ca_core.services.ports.JobQueue`."""

    what = "job"

    def __init__(self, connection: Connection, *, now: datetime, new_id: Callable[[], UUID]) -> None:
        super().__init__(connection, jobs, Job)
        self._notices = EntityRows(connection, notices, Notice)
        self._notices.what = "notice"
        self._now = now
        self._new_id = new_id

    def enqueue(
        self,
        kind: str,
        arguments: Mapping[str, object],
        *,
        dedupe_key: str | None = None,
        run_at: datetime | None = None,
        max_attempts: int = 10,
    ) -> None:
        job = Job(
            id=self._new_id(),
            kind=str(kind),
            arguments=arguments,
            dedupe_key=dedupe_key,
            run_at=run_at or self._now,
            max_attempts=max_attempts,
            created_at=self._now,
        )
        self.add_later(job)

    def lease(self, worker: str, *, seconds: int) -> Job | None:
        while (job := self._next_due()) is not None:
            if job.state is JobState.LEASED and job.attempt >= job.max_attempts:
                # Its worker died each time: somebody has to look, or it goes on killing workers.
                self._write(replace(job, state=JobState.DEAD, last_error="its worker died", finished_at=self._now))
                continue
            leased = replace(
                job,
                state=JobState.LEASED,
                attempt=job.attempt + 1,
                worker=worker,
                lease_until=self._now + timedelta(seconds=seconds),
            )
            self._write(leased)
            return leased
        return None

    def extend(self, job: Job, *, seconds: int) -> bool:
        until = self._now + timedelta(seconds=seconds)
        return self._execute(self._ours(job).values(lease_until=until)).rowcount == 1

    def finish(self, job: Job) -> None:
        done = {"state": JobState.DONE, "finished_at": self._now, "lease_until": None, "last_error": ""}
        self._execute(self._ours(job).values(done))

    def fail(self, job: Job, error: str, *, retry_at: datetime) -> None:
        dead = job.attempt >= job.max_attempts
        changes = {
            "state": JobState.DEAD if dead else JobState.FAILED,
            "run_at": retry_at,
            "last_error": error[:LONGEST_ERROR],
            "lease_until": None,
            "finished_at": self._now if dead else None,
        }
        self._execute(self._ours(job).values(changes))

    def get(self, id: UUID) -> Job:  # type: ignore[override]  # jobs are the authority's own; rights are the service's
        return super().get(id, seen_by=EVERYTHING)

    def find(self, *, states: Iterable[str] = (), cursor: str | None = None, limit: int = 50) -> Page[Job]:
        statement = self._select()
        if chosen := words(states):
            statement = statement.where(J.state.in_(chosen))
        if cursor is not None:
            statement = statement.where(J.id < read_id_cursor(cursor))
        items = self._all(statement.order_by(J.id.desc()).limit(limit + 1))
        more = len(items) > limit
        return Page(items=items[:limit], next_cursor=write_cursor(str(items[limit - 1].id)) if more else None)

    def revive(self, id: UUID) -> None:
        changes = {"state": JobState.NEW, "attempt": 0, "run_at": self._now, "finished_at": None}
        self._execute(update(jobs).where(J.id == id, J.state == JobState.DEAD).values(changes))

    def oldest_due(self) -> datetime | None:
        statement = select(func.min(J.run_at)).where(J.state.in_(words(WAITING)), J.run_at <= self._now)
        found: datetime | None = self._execute(statement).scalar_one()
        return found

    def add_notice(self, notice: Notice) -> None:
        self._notices.add_later(notice)

    def has_pending(self) -> bool:
        return super().has_pending() or self._notices.has_pending()

    def write_pending(self) -> None:
        super().write_pending()
        self._notices.write_pending()

    def notice(self, id: UUID) -> Notice:
        return self._notices.get(id, seen_by=EVERYTHING)

    def mark_sent(self, id: UUID, at: datetime) -> None:
        self._notices._execute(update(notices).where(notices.c.id == id).values(state=NoticeState.SENT, sent_at=at))

    def notices_of(self, account: UUID, *, limit: int = 50) -> Sequence[Notice]:
        chosen = select(notices).where(notices.c.account == account)
        return self._notices._all(chosen.order_by(notices.c.id.desc()).limit(limit))

    def notices_about(self, application: UUID) -> Sequence[Notice]:
        chosen = select(notices).where(notices.c.application == application)
        return self._notices._all(chosen.order_by(notices.c.id))

    def _insertion(self) -> Insert:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement: Insert = dialect.insert(jobs).on_conflict_do_nothing(index_elements=["dedupe_key"])
        return statement

    def _next_due(self) -> Job | None:
        due = or_(
            and_(J.state.in_(words(WAITING)), J.run_at <= self._now),
            and_(J.state == JobState.LEASED, J.lease_until <= self._now),
        )
        # Workers pass each other instead of waiting (PostgreSQL); SQLite has one writer anyway and ignores this.
        return self._one(self._select().where(due).order_by(J.run_at, J.id).with_for_update(skip_locked=True))

    def _write(self, job: Job) -> None:
        self._execute(update(jobs).where(J.id == job.id), self._values(job))

    def _ours(self, job: Job):  # type: ignore[no-untyped-def]  # an Update, whose type has no public name for chaining
        """Only while the lease is this one: a worker that was given up changes nothing any more."""
        return update(jobs).where(
            J.id == job.id, J.state == JobState.LEASED, J.worker == job.worker, J.attempt == job.attempt
        )
