"""Jobs, notices and remembered answers: what must not be lost between a change and its effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class JobState(StrEnum):
    NEW = "new"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    """Will be tried again at ``run_at``."""
    DEAD = "dead"
    """Out of attempts; somebody has to look."""


class JobKind(StrEnum):
    """What there is to do; the worker has a handler for each."""

    NOTICE = "notice"
    """Deliver ``notice``."""
    LETTER = "letter"
    """Send ``sealed``, to an address that is not yet that of ``account``, or not any more."""
    EVENT = "event"
    """Tell plugins of ``event``."""
    PRESIGN = "presign"
    """Sign the OCSP answers of ``issuer`` for the serials after ``after`` up to ``until``."""
    CRL = "crl"
    """Build the list of ``authority`` and ``partition`` anew."""
    REVOKE_MANY = "revoke-many"
    """Carry out the mass ``revocation``."""
    RESPONDERS = "responders"
    """Make responders for issuers that have none."""
    RECHECK = "recheck"
    """Look again at what was issued on ``day``."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Work to do after a commit. Delivered at least once, so every handler is idempotent (invariant 15)."""

    id: UUID
    kind: str
    arguments: Mapping[str, object]
    dedupe_key: str | None = None
    """Unique: the same work is not queued twice."""
    state: JobState = JobState.NEW
    run_at: datetime
    attempt: int = 0
    max_attempts: int = 10
    worker: str | None = None
    lease_until: datetime | None = None
    last_error: str = ""
    created_at: datetime
    finished_at: datetime | None = None


class NoticeState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A message to somebody about a change; its text is made from a template when it is sent."""

    id: UUID
    account: UUID
    kind: str
    """Template name."""
    context: Mapping[str, str] = field(default_factory=dict)
    state: NoticeState = NoticeState.QUEUED
    application: UUID | None = None
    created_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RememberedAnswer:
    """The answer to a request that came with an idempotency key, to be given again."""

    account: UUID
    key: str
    request_sha256: bytes
    status: int
    """0 while the first request is still being worked on."""
    body: str
    created_at: datetime
