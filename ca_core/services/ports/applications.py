"""Applications with their checks, approvals and editors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.access import Visibility
from ca_core.domain.application import Application, Approval, ApprovedContent, CheckResult
from ca_core.services.ports.rows import Page, Rows


class Applications(Rows[Application], Protocol):
    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        claimed_by: UUID | None = None,
        text: str = "",
        cursor: str | None = None,
        limit: int = 50,
        order: str = "created",
    ) -> Page[Application]:
        """``order``: ``created`` (newest first) or ``due`` (earliest deadline first). ``text`` matches number,
        subject values and applicant's e-mail."""
        ...

    def next_number(self, year: int) -> str:
        """``2026-000042``: one more than the last, without gaps only if nothing rolls back."""
        ...

    def by_number(self, number: str, *, seen_by: Visibility) -> Application: ...

    def running_clocks(self) -> Sequence[Application]:
        """All applications whose clock runs."""
        ...

    def expired_claims(self, now: datetime) -> Sequence[Application]: ...

    def unmoved_since(self, moment: datetime, *, states: Iterable[str], limit: int) -> Sequence[Application]:
        """Those that came into their state before the moment, oldest first."""
        ...

    def count(self, *, seen_by: Visibility, states: Iterable[str] = (), claimed_by: UUID | None = None) -> int: ...

    def open_replacement_of(self, certificate: UUID) -> Application | None:
        """The application for its replacement that is neither issued nor ended."""
        ...

    def add_editor(self, application: UUID, account: UUID) -> None:
        """Record that this account entered or changed something; it may not approve (invariant 12)."""
        ...

    def editors(self, application: UUID) -> frozenset[UUID]: ...

    def add_approval(self, approval: Approval) -> None:
        """Insert; the database itself refuses an editor or the owner, and a second one by the same person
        in the same round (SelfApproval, Duplicate)."""
        ...

    def approvals_among(self, applications: Collection[UUID]) -> Sequence[Approval]:
        """Of these applications and all rounds, oldest first."""
        ...

    def approvals(self, application: UUID, round: int | None) -> Sequence[Approval]:
        """Of that round, or with None of all; oldest first."""
        ...

    def keep_approved(self, content: ApprovedContent) -> None:
        """Insert, once for each digest; it never changes and never goes."""
        ...

    def approved_content(self, digest: bytes) -> bytes | None: ...

    def add_check(self, check: CheckResult) -> None: ...

    def checks(self, application: UUID, round: int) -> Sequence[CheckResult]: ...
