"""Time-stamp tokens, as they were handed out."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Uuid

from ca_core.storage.columns import Moment, SerialNumber
from ca_core.storage.tables.metadata import metadata

timestamps = Table(
    "timestamps",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("tsa", Uuid, nullable=False),
    Column("serial", SerialNumber, nullable=False, unique=True),
    Column("gen_time", Moment, nullable=False),
    Column("policy", String(255), nullable=False),
    Column("hash_algorithm", String(16), nullable=False),
    Column("imprint_sha256", LargeBinary(32), nullable=False, index=True),
    Column("requested_by", Uuid, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Index("ix_timestamps_tsa_gen_time", "tsa", "gen_time"),
    Index("ix_timestamps_requested_by_sequence", "requested_by", "sequence"),
)
