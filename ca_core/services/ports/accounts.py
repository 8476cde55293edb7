"""Accounts, what they change, and how people log in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ca_core.domain.access import Role
from ca_core.domain.account import Account, AccountChange, ApiToken, Centre, LogInFailures, WebSession
from ca_core.domain.work import RememberedAnswer
from ca_core.services.ports.rows import Page, Rows


class Accounts(Rows[Account], Protocol):
    def by_email(self, email: str) -> Account | None: ...

    def find(self, *, text: str = "", cursor: str | None = None, limit: int = 50) -> Page[Account]: ...

    def with_role(self, role: Role, *, centre: UUID | None = None) -> Sequence[Account]:
        """Active accounts that have the role, and that service centre if one is named."""
        ...

    def add_centre(self, centre: Centre) -> None: ...

    def centre(self, id: UUID) -> Centre: ...

    def centre_by_code(self, code: str) -> Centre: ...

    def centres(self) -> Sequence[Centre]: ...

    def add_token(self, token: ApiToken) -> None: ...

    def tokens_among(self, sha256: Collection[bytes]) -> Sequence[ApiToken]:
        """Those with these digests."""
        ...

    def tokens_of(self, account: UUID) -> Sequence[ApiToken]: ...

    def replace_token(self, token: ApiToken) -> ApiToken: ...

    def save_session(self, session: WebSession) -> None:
        """Insert or update by id."""
        ...

    def session_by_digest(self, sha256: bytes) -> WebSession | None: ...

    def delete_sessions(
        self, *, account: UUID | None = None, id: UUID | None = None, expired_at: datetime | None = None
    ) -> int: ...

    def remember(self, answer: RememberedAnswer) -> RememberedAnswer | None:
        """Insert, or return the one that is there under (account, key)."""
        ...

    def update_remembered(self, answer: RememberedAnswer) -> None: ...

    def forget(self, account: UUID, key: str) -> None: ...

    def forget_before(self, moment: datetime) -> int:
        """Drop answers remembered before the moment; returns how many."""
        ...


class AccountChanges(Rows[AccountChange], Protocol):
    def waiting(self, account: UUID | None = None) -> Sequence[AccountChange]:
        """Those that nobody decided, oldest first."""
        ...


class LogIns(Protocol):
    def lock(self, account: UUID) -> None:
        """Count one failure of this account after the other, to the end of the transaction."""
        ...

    def get(self, account: UUID, source_sha256: bytes) -> LogInFailures:
        """The count; a new one where there is none."""
        ...

    def save(self, row: LogInFailures) -> None: ...

    def forget(self, account: UUID) -> None: ...

    def forget_quiet(self, *, counted_before: datetime, known_before: datetime) -> int:
        """Drop counts begun before the one moment with no success since the other; returns how many."""
        ...


class PasswordHasher(Protocol):
    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool: ...

    def needs_rehash(self, hash: str) -> bool: ...
