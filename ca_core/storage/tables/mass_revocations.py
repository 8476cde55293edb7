"""Revocations of many certificates at once, and which certificates they are."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text, Uuid

from ca_core.domain.certificate import RevocationReason
from ca_core.storage.columns import Document, Moment, Number
from ca_core.storage.tables.metadata import metadata

mass_revocations = Table(
    "mass_revocations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("selection", Document, nullable=False),
    Column("reason", Number(RevocationReason), nullable=False),
    Column("invalidity_date", Moment),
    Column("words", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("asked_by", Uuid, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("approved_by", Uuid),
    Column("approved_at", Moment),
    Column("done", Integer, nullable=False),
    Column("revoked", Integer, nullable=False),
    Column("finished_at", Moment),
    Column("version", Integer, nullable=False),
)

mass_revocation_members = Table(
    "mass_revocation_members",
    metadata,
    Column("revocation", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True),
    # No foreign key: should the certificate be removed, it is still told of.
    Column("certificate", Uuid, nullable=False),
)
"""``position`` counts from 1."""
