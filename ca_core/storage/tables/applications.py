"""Applications, their documents, approvals and checks."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from ca_core.domain.application import ApplicationState
from ca_core.domain.document import DocumentState
from ca_core.storage.columns import Choice, Document, Duration, Moment, Names
from ca_core.storage.tables.metadata import metadata

applications = Table(
    "applications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("owner", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("centre", Uuid, ForeignKey("centres.id"), nullable=False),
    Column("profile", String(128), nullable=False),
    Column("profile_version", String(64), nullable=False),
    Column("profile_digest", LargeBinary(32), nullable=False),
    Column("approvals_required", Integer, nullable=False),
    Column("subject", Document, nullable=False),
    Column("san", Names, nullable=False),
    Column("identification", String(64)),
    Column("replaces", Uuid, index=True),
    Column("circumstance", String(32)),
    Column("state", Choice(ApplicationState), nullable=False),
    Column("note", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("submitted_at", Moment),
    Column("clock_consumed", Duration, nullable=False),
    Column("clock_running_since", Moment, index=True),
    Column("due_at", Moment),
    Column("clock_stage", String(16), nullable=False),
    Column("claimed_by", Uuid, index=True),
    Column("claim_expires", Moment),
    Column("request_der", LargeBinary),
    Column("request_sent_by", Uuid),
    Column("certificate", Uuid),
    Column("state_since", Moment),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    CheckConstraint("approvals_required IN (1, 2)", name="approvals_required"),
    Index("ix_applications_owner_id", "owner", "id"),
    Index("ix_applications_centre_state_due_at", "centre", "state", "due_at"),
    Index("ix_applications_state_state_since", "state", "state_since"),
)
"""``search``: number, subject values and e-mail in lower case."""

application_editors = Table(
    "application_editors",
    metadata,
    Column("application", Uuid, ForeignKey("applications.id"), nullable=False),
    Column("account", Uuid, nullable=False),
    PrimaryKeyConstraint("application", "account"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("application", Uuid, ForeignKey("applications.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("approver", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("application", "round", "approver"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)
"""What was approved, as it was shown: the pre-images of approvals' digests."""

check_results = Table(
    "check_results",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("application", Uuid, ForeignKey("applications.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("name", String(128), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("extra", Document, nullable=False),
    Index("ix_check_results_application_round", "application", "round"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("application", Uuid, ForeignKey("applications.id"), nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("wrapped_key", LargeBinary),
    Column("key_id", String(64), nullable=False),
    Column("state", Choice(DocumentState), nullable=False),
    Column("reason", String(64)),
    Column("note", Text, nullable=False),
    Column("uploaded_by", Uuid, nullable=False),
    Column("uploaded_at", Moment, nullable=False),
    Column("decided_by", Uuid),
    Column("decided_at", Moment),
    Column("version", Integer, nullable=False),
    Column("checked_at", Moment),
)
"""``checked_at``: when its sealed bytes were last opened and found to be those received."""

page_views = Table(
    "page_views",
    metadata,
    Column("document", Uuid, ForeignKey("documents.id"), nullable=False),
    Column("account", Uuid, nullable=False),
    Column("page", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("document", "account", "page"),
)
