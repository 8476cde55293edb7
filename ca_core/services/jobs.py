"""The worker that runs queued jobs, the desk that shows them, and the dispatch of events to plugins."""

from __future__ import annotations

import hashlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission
from ca_core.domain.errors import CaError, ConfigurationError, TryAgain, WrongState
from ca_core.domain.work import Job, JobKind, JobState
from ca_core.services.ports import Clock, EventHandler, Page, Transactions

Handler = Callable[[Job], object]
"""Does one job. It may run more than once for the same job, so it is idempotent (invariant 15)."""

LEASE = 60
"""Seconds a job is ours without a sign of life."""
HEARTBEAT = 20
"""Seconds between two signs."""
POLL = 1.0
"""Seconds between two looks into an empty queue."""
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)

HANDLER = "handler"
"""Argument of an event's job that names the one plugin handler to call."""

log = logging.getLogger(__name__)


class Worker:
    """Runs jobs one after the other; several workers, in threads or processes, share a queue."""

    def __init__(
        self, transactions: Transactions, handlers: Mapping[str, Handler], *, clock: Clock, name: str = "worker"
    ) -> None:
        self._transactions = transactions
        self._handlers = handlers
        self._clock = clock
        self._name = name

    def run_once(self) -> int:
        """Do everything that is due; returns how many jobs were tried."""
        tried = 0
        while (job := self._lease()) is not None:
            self._work(job)
            tried += 1
        return tried

    def run(self, stop: threading.Event) -> None:
        """Do what comes until told to stop; a job that runs then is finished first."""
        while not stop.is_set():
            try:
                job = self._lease()
                if job is not None:
                    self._work(job)
                    continue
            except Exception as error:  # the queue is out of reach for now; the work waits there
                log.error("worker %s cannot reach the queue: %s", self._name, describe(error))
            stop.wait(POLL)

    def _lease(self) -> Job | None:
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            return tx.jobs.lease(self._name, seconds=LEASE)

    def _work(self, job: Job) -> None:
        with self._heartbeat(job):
            error = self._attempt(job)
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            if error is None:
                tx.jobs.finish(job)
            else:
                tx.jobs.fail(job, describe(error), retry_at=self._clock() + retry_after(job, error))

    def _attempt(self, job: Job) -> Exception | None:
        try:
            handler = self._handlers.get(job.kind)
            if handler is None:
                raise ConfigurationError(f"this worker has no handler for jobs of kind {job.kind!r}")
            handler(job)
        except Exception as error:  # whatever a handler does wrong must not end the worker
            log.warning("job %s (%s), attempt %d: %s", job.id, job.kind, job.attempt, describe(error))
            if not isinstance(error, CaError):
                # Where, without the message: a message may hold personal data.
                log.warning("".join(traceback.format_tb(error.__traceback__)))
            return error
        return None

    @contextmanager
    def _heartbeat(self, job: Job) -> Iterator[None]:
        """Extend the lease while the handler runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(job, done), name=f"lease of {job.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, job: Job, done: threading.Event) -> None:
        while not done.wait(HEARTBEAT):
            try:
                with self._transactions.begin(SYSTEM_ACTOR) as tx:
                    if not tx.jobs.extend(job, seconds=LEASE):
                        log.warning("the lease of job %s (%s) was lost", job.id, job.kind)
                        return
            except Exception as error:  # the next beat may get through
                log.warning("the lease of job %s was not extended: %s", job.id, describe(error))


class JobDesk:
    """The queue, for people."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def list(
        self, actor: Actor, *, states: Iterable[str] = (), cursor: str | None = None, limit: int = 50
    ) -> Page[Job]:
        actor.require(Permission.JOB_VIEW)
        with self._transactions.read(actor) as tx:
            return tx.jobs.find(states=states, cursor=cursor, limit=limit)

    def revive(self, actor: Actor, id: UUID) -> Job:
        """Give a dead job new attempts."""
        actor.require(Permission.JOB_MANAGE)
        with self._transactions.begin(actor) as tx:
            job = tx.jobs.get(id)
            if job.state is not JobState.DEAD:
                raise WrongState(f"the job is {job.state.value}; only a dead one is revived")
            tx.jobs.revive(id)
            tx.audit.record("job.revived", "job", id, kind=job.kind)
            return tx.jobs.get(id)


class EventDispatch:
    """The handler of ``event`` jobs. Each handler that plugins registered gets a job of its own, so that one that
    fails is tried again alone; each is called at least once."""

    def __init__(self, transactions: Transactions, handlers: Mapping[str, Sequence[EventHandler]]) -> None:
        self._transactions = transactions
        self._handlers = {
            event: {_name(handler): handler for handler in brought} for event, brought in handlers.items()
        }
        for event, brought in handlers.items():
            if len(self._handlers[event]) != len(brought):
                raise ConfigurationError(
                    f"two handlers of the event {event!r} have one name; give them names of their own"
                )

    def __call__(self, job: Job) -> None:
        event = {name: value for name, value in job.arguments.items() if name != HANDLER}
        handlers = self._handlers.get(str(event["event"]), {})
        chosen = job.arguments.get(HANDLER)
        if chosen is not None:
            # None when its plugin was disabled meanwhile.
            if (handler := handlers.get(str(chosen))) is not None:
                handler(event)
            return
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            for name in handlers:
                digest = hashlib.sha256(name.encode()).hexdigest()
                tx.jobs.enqueue(JobKind.EVENT, {**event, HANDLER: name}, dedupe_key=f"event:{job.id}:{digest}")


def _name(handler: EventHandler) -> str:
    """The same in every process and after every restart."""
    named = handler if hasattr(handler, "__qualname__") else type(handler)
    return f"{named.__module__}.{named.__qualname__}"


def describe(error: Exception) -> str:
    """What may be kept of an error: its class and code. Messages may hold personal data."""
    name = type(error).__name__
    return f"{name} ({error.code})" if isinstance(error, CaError) else name


def retry_after(job: Job, error: Exception) -> timedelta:
    """5 s, 10 s, 20 s … an hour at most; not before a temporary failure said."""
    wait = min(FIRST_RETRY * (1 << min(max(job.attempt - 1, 0), 16)), LONGEST_RETRY)
    return max(wait, timedelta(seconds=error.retry_after)) if isinstance(error, TryAgain) else wait
