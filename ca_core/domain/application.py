"""The application: its states, the steps between them, and the digest that approvals are bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from ca_core.domain.document import Document, DocumentState
from ca_core.domain.errors import ClaimedByAnother, WrongState


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in-review"
    RETURNED = "returned"
    APPROVED_FIRST = "approved-first"
    """One approval of two; waits for another reviewer."""
    AWAITING_KEY = "awaiting-key"
    """Every approval given; waits for the certification request."""
    REQUEST_RECEIVED = "request-received"
    """A certification request with proof of possession is on file."""
    ISSUED = "issued"
    ACCEPTED = "accepted"
    """The subscriber has seen and accepted the certificate."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


S = ApplicationState

STEPS: Mapping[ApplicationState, frozenset[ApplicationState]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.WITHDRAWN, S.EXPIRED}),
    S.SUBMITTED: frozenset({S.IN_REVIEW, S.WITHDRAWN, S.EXPIRED}),
    S.IN_REVIEW: frozenset(
        {S.SUBMITTED, S.RETURNED, S.APPROVED_FIRST, S.AWAITING_KEY, S.REJECTED, S.WITHDRAWN, S.EXPIRED}
    ),
    S.RETURNED: frozenset({S.SUBMITTED, S.WITHDRAWN, S.EXPIRED}),
    S.APPROVED_FIRST: frozenset({S.AWAITING_KEY, S.SUBMITTED, S.RETURNED, S.REJECTED, S.WITHDRAWN, S.EXPIRED}),
    S.AWAITING_KEY: frozenset({S.REQUEST_RECEIVED, S.SUBMITTED, S.WITHDRAWN, S.EXPIRED}),
    S.REQUEST_RECEIVED: frozenset({S.REQUEST_RECEIVED, S.SUBMITTED, S.ISSUED, S.WITHDRAWN, S.EXPIRED}),
    S.ISSUED: frozenset({S.ACCEPTED}),
    S.ACCEPTED: frozenset(),
    S.REJECTED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.EXPIRED: frozenset(),
}
"""Every step there is. ``approved-first`` goes back to ``submitted`` when the applicant changes something, and what was
approved when it has to be reviewed again."""

BEFORE_DECISION = frozenset({S.DRAFT, S.SUBMITTED, S.IN_REVIEW, S.RETURNED, S.APPROVED_FIRST})
"""While one of these holds, any document may be replaced."""

OPEN = frozenset(state for state, steps in STEPS.items() if S.WITHDRAWN in steps)


@dataclass(frozen=True, kw_only=True)
class Application:
    """One request for one certificate, from draft to the end."""

    id: UUID
    number: str
    """What people read out on the telephone: ``2026-000042``."""
    owner: UUID
    """The applicant's account."""
    centre: UUID
    profile: str
    """``pack/name``."""
    profile_version: str
    profile_digest: bytes
    approvals_required: int
    subject: Mapping[str, str]
    """Attribute name to value, by the profile's rules."""
    san: tuple[tuple[str, str], ...] = ()
    """Subject alternative names: (type, value)."""
    identification: str | None = None
    """How the applicant's identity was established; a method of the profile."""
    replaces: UUID | None = None
    """The certificate that the new one stands in for."""
    circumstance: str | None = None
    """Why it has to be replaced: ``lost``, ``broken``, ``compromised``, ``data-changed``."""
    state: ApplicationState = ApplicationState.DRAFT
    state_since: datetime
    """When it came into its state."""
    note: str = ""
    """What the applicant is told with a return or rejection."""
    round: int = 1
    """Counts submissions; approvals of an earlier round do not count."""
    submitted_at: datetime | None = None
    clock_consumed: timedelta = timedelta(0)
    """Working time used before the last pause."""
    clock_running_since: datetime | None = None
    due_at: datetime | None = None
    """When the decision is due; None while the clock does not run."""
    clock_stage: str = "on-time"
    """The last warning given: ``on-time``, ``half``, ``quarter``, ``overdue``."""
    claimed_by: UUID | None = None
    claim_expires: datetime | None = None
    request_der: bytes | None = None
    """The certification request (PKCS #10)."""
    request_sent_by: UUID | None = None
    """Whoever sent it, and so chose the key."""
    certificate: UUID | None = None
    created_at: datetime
    version: int = 1
    """Row version; a change names the version it saw."""

    def step(self, to: ApplicationState, *, at: datetime, **changes: object) -> Self:
        """The application in its next state from that moment, or :class:`WrongState`. A claim ends with the review."""
        if to not in STEPS[self.state]:
            raise WrongState(f"application {self.number} is {self.state.value}; it cannot become {to.value}")
        if to is not S.IN_REVIEW:
            changes = {"claimed_by": None, "claim_expires": None, **changes}
        return replace(self, state=to, state_since=at, **changes)  # type: ignore[arg-type]  # field names are checked by replace()

    def held_by_another(self, account: UUID, now: datetime) -> bool:
        """Whether somebody else has claimed it and the claim has not run out."""
        return self.claimed_by is not None and self.claimed_by != account and not self.claim_ended(now)

    def claim_ended(self, now: datetime) -> bool:
        return self.claim_expires is None or self.claim_expires <= now

    def require_claim(self, account: UUID, now: datetime) -> None:
        """Raise unless this account holds the claim: nobody decides in parallel."""
        if self.claimed_by != account or self.claim_ended(now):
            raise ClaimedByAnother(f"claim application {self.number} before you decide on it")


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's approval of exactly one snapshot (invariant 12)."""

    id: UUID
    application: UUID
    round: int
    approver: UUID
    digest: bytes
    """:func:`snapshot_digest` of what was shown."""
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Editor:
    """Somebody who entered or changed something in an application; he may not approve it (invariant 12)."""

    application: UUID
    account: UUID


@dataclass(frozen=True, kw_only=True)
class ApprovedContent:
    """What somebody approved, as it was shown: the data may be others by now, this stays."""

    digest: bytes
    """:func:`snapshot_digest`."""
    content: bytes
    """:func:`snapshot_content`."""
    at: datetime
    """When it was approved first."""


def content_digest(application: Application) -> bytes:
    """SHA-256 over what the applicant states, so that the record shows when it was which."""
    stated = {
        "subject": dict(sorted(application.subject.items())),
        "san": [list(pair) for pair in application.san],
        "identification": application.identification,
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True, ensure_ascii=False).encode()).digest()


class CheckMode(StrEnum):
    """What a refutation does: nothing by itself, or it stops the application."""

    ADVISORY = "advisory"
    BLOCKING = "blocking"


class CheckVerdict(StrEnum):
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a register or identifier check said about an application."""

    id: UUID
    application: UUID
    round: int
    name: str
    mode: CheckMode
    verdict: CheckVerdict
    detail: str
    at: datetime
    extra: Mapping[str, str] = field(default_factory=dict)
    """Digests of the recorded question and answer."""


def snapshot_digest(application: Application, documents: Iterable[Document], checks: Iterable[CheckResult]) -> bytes:
    """SHA-256 over :func:`snapshot_content`: a change to any of it gives another, so an approval no longer fits."""
    return hashlib.sha256(snapshot_content(application, documents, checks)).digest()


def snapshot_content(application: Application, documents: Iterable[Document], checks: Iterable[CheckResult]) -> bytes:
    """All that a reviewer decides on, as canonical JSON: data, profile version, the documents that count, and what
    registers said."""
    shown = {
        "application": str(application.id),
        "round": application.round,
        "profile": [application.profile, application.profile_version, application.profile_digest.hex()],
        "subject": dict(sorted(application.subject.items())),
        "san": [list(pair) for pair in application.san],
        "identification": application.identification,
        "replaces": str(application.replaces) if application.replaces else None,
        "circumstance": application.circumstance,
        "documents": sorted(
            [document.kind, document.sha256.hex(), document.state.value]
            for document in documents
            if document.state in (DocumentState.PENDING, DocumentState.ACCEPTED, DocumentState.REFUSED)
        ),
        "checks": sorted([check.name, check.mode, check.verdict, check.detail] for check in checks),
    }
    return json.dumps(shown, sort_keys=True, ensure_ascii=False).encode()
