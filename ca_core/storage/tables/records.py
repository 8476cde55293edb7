"""The audit chain, jobs, notices, counters."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, Uuid

from ca_core.domain.work import JobState, NoticeState
from ca_core.storage.columns import Choice, Document, Moment
from ca_core.storage.tables.metadata import metadata

audit_records = Table(
    "audit_records",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", Uuid, nullable=False),
    Column("actor_name", String(254), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_kind", String(32), nullable=False),
    Column("object_id", String(64), nullable=False),
    Column("details", Document, nullable=False),
    Column("previous", LargeBinary(32), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
    Index("ix_audit_records_object_id_sequence", "object_id", "sequence"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("key_reference", String(64), nullable=False),
    Column("public_key_info", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("arguments", Document, nullable=False),
    Column("dedupe_key", String(200), unique=True),
    Column("state", Choice(JobState), nullable=False),
    Column("run_at", Moment, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("worker", String(100)),
    Column("lease_until", Moment),
    Column("last_error", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("ix_jobs_state_run_at", "state", "run_at"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account", Uuid, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("context", Document, nullable=False),
    Column("state", Choice(NoticeState), nullable=False),
    Column("application", Uuid, index=True),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Index("ix_notices_account_id", "account", "id"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers that only grow: application numbers by year, CRL numbers by list, looks at readiness."""
