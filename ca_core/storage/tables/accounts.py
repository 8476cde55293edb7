"""Accounts, service centres, sessions, tokens, remembered answers."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    Uuid,
)

from ca_core.domain.access import Permission, Role
from ca_core.storage.columns import Document, Ids, Moment, Words
from ca_core.storage.tables.metadata import metadata

centres = Table(
    "centres",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("email_confirmed_at", Moment),
    Column("name", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("roles", Words(Role), nullable=False),
    Column("centres", Ids, nullable=False),
    Column("password_hash", String(300), nullable=False),
    Column("totp_sealed", LargeBinary),
    Column("totp_last_step", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Column("staff", Boolean, nullable=False, index=True),
)
"""``staff``: any role but subscriber's, so that staff are found without reading every subscriber."""

account_changes = Table(
    "account_changes",
    metadata,
    Column("id", Uuid, primary_key=True),
    # No foreign key: what lets a privileged account in is there before the account.
    Column("account", Uuid, nullable=False, index=True),
    Column("action", String(64), nullable=False),
    Column("roles", Words(Role), nullable=False),
    Column("centres", Ids, nullable=False),
    Column("first_half_sealed", LargeBinary),
    Column("asked_by", Uuid, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("confirmed_by", Uuid),
    Column("decided_at", Moment),
    Column("applied_version", Integer),
    Column("version", Integer, nullable=False),
    CheckConstraint(
        # The machine's owner, who is number 0, needs no second one.
        "confirmed_by IS NULL OR asked_by = '00000000000000000000000000000000'"
        " OR (confirmed_by <> asked_by AND confirmed_by <> account AND asked_by <> account)",
        name="four_eyes",
    ),
)

log_in_failures = Table(
    "log_in_failures",
    metadata,
    Column("account", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("source_sha256", LargeBinary(32), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", Moment, nullable=False, index=True),
    Column("locked_until", Moment),
    Column("last_success", Moment),
    PrimaryKeyConstraint("account", "source_sha256"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("account", Uuid, ForeignKey("accounts.id"), index=True),
    Column("data", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("authenticated_at", Moment),
    Column("expires_at", Moment, nullable=False, index=True),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account", Uuid, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Words(Permission), nullable=False),
    Column("made_by", Uuid),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("version", Integer, nullable=False),
)

remembered_answers = Table(
    "remembered_answers",
    metadata,
    Column("account", Uuid, nullable=False),
    Column("key", String(128), nullable=False),
    Column("request_sha256", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    PrimaryKeyConstraint("account", "key"),
)
