"""Accounts, service centres, log-in sessions and API tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ca_core.domain.access import Actor, Permission, Role

LANGUAGES: Mapping[str, str] = {"en": "English", "ru": "Русский", "ar": "العربية"}
"""Those that people are written to and shown pages in, each by its own name."""


@dataclass(frozen=True, kw_only=True)
class Centre:
    """A service centre: the office where people come with their papers."""

    id: UUID
    code: str
    name: str
    active: bool = True
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody who can log in."""

    id: UUID
    email: str
    """Login name, lower case."""
    email_confirmed_at: datetime | None = None
    """When it was shown that mail to it arrives, or staff made the account; None where nobody was asked yet."""
    name: str
    language: str = "en"
    roles: frozenset[Role]
    centres: frozenset[UUID] = frozenset()
    password_hash: str
    """argon2id, PHC string."""
    totp_sealed: bytes | None = None
    """The TOTP secret under the account key; None where no second factor is set up."""
    totp_last_step: int = 0
    """The last time step that was used, so that a code works once (RFC 6238 §5.2)."""
    active: bool = True
    created_at: datetime
    version: int = 1

    @property
    def is_staff(self) -> bool:
        return bool(self.roles - {Role.SUBSCRIBER})

    def actor(self, *, scopes: frozenset[Permission] | None = None, token: UUID | None = None) -> Actor:
        """What the account may do now, by log-in or by a token."""
        return Actor(id=self.id, name=self.email, roles=self.roles, centres=self.centres, scopes=scopes, token=token)


@dataclass(frozen=True, kw_only=True)
class AccountChange:
    """Rights or a new password that one administrator asked for and another has to confirm."""

    id: UUID
    account: UUID
    action: str
    """What the audit calls it once it holds."""
    roles: frozenset[Role]
    centres: frozenset[UUID] = frozenset()
    """What the account has with it, both."""
    first_half_sealed: bytes | None = None
    """Of the new password, which is known in full to nobody but the owner; None where the password stays."""
    asked_by: UUID
    asked_at: datetime
    confirmed_by: UUID | None = None
    """None while it waits, and for what was refused or overtaken."""
    decided_at: datetime | None = None
    applied_version: int | None = None
    """The account's version that has it: a confirmation is good for once."""
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class LogInFailures:
    """Wrong passwords and codes for one account from one source, or from all of them together."""

    account: UUID
    source_sha256: bytes
    """Keyed digest of the address, which itself is nobody's business."""
    failures: int = 0
    since: datetime
    """When counting began."""
    locked_until: datetime | None = None
    last_success: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WebSession:
    """A log-in through a browser; the cookie holds the token, the database only its digest."""

    id: UUID
    token_sha256: bytes
    account: UUID | None
    """None where an older version kept one before log-in; such a session is nobody's."""
    data: Mapping[str, object] = field(default_factory=dict)
    created_at: datetime
    seen_at: datetime
    authenticated_at: datetime | None = None
    """When the password and second factor were last given; decisions ask for a fresh one."""
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A bearer token for the REST API; shown once, stored as a digest."""

    id: UUID
    account: UUID
    label: str
    token_sha256: bytes
    scopes: frozenset[Permission]
    made_by: UUID | None = None
    """The token that asked for it, with which it ends; None for one made at a log-in."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    version: int = 1

    def opens(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > now
