"""Certificates, authorities, published lists, blocked keys."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint as Unique,
    Uuid,
    false,
    text,
)

from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.authority import AuthorityKind, AuthorityState
from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.profile import Environment
from ca_core.storage.columns import Choice, Moment, Number, SerialNumber
from ca_core.storage.tables.metadata import metadata

ON_LISTS = text("state IN ('held', 'revoked', 'abandoned')")
"""What revocation lists read: a small part of all certificates. Spelt out in index and query alike, since SQLite uses a
partial index only for the condition that it knows."""
ENTRY = ("state", "not_after", "revoked_at", "created_at", "reason", "invalidity_date")
"""What an entry is made from: it stands in the indexes themselves, since a list of a million that fetched every row
would read the whole table."""
IMPORTED = text("import_id IS NOT NULL")

certificates = Table(
    "certificates",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("issuer", Uuid, nullable=False),
    Column("serial", SerialNumber, nullable=False),
    Column("state", Choice(CertificateState), nullable=False),
    Column("profile", String(128), nullable=False),
    Column("profile_version", String(64), nullable=False),
    Column("profile_digest", LargeBinary(32), nullable=False),
    Column("application", Uuid, ForeignKey("applications.id"), index=True),
    Column("approval_digest", LargeBinary(32)),
    Column("owner", Uuid, nullable=False),
    Column("centre", Uuid),
    Column("subject", Text, nullable=False),
    Column("tbs", LargeBinary, nullable=False),
    Column("tbs_sha256", LargeBinary(32), nullable=False),
    Column("der", LargeBinary),
    Column("sha256", LargeBinary(32), unique=True),
    Column("spki_sha256", LargeBinary(32), nullable=False, index=True),
    Column("not_before", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("replaces", Uuid),
    Column("created_at", Moment, nullable=False),
    Column("issued_at", Moment, index=True),
    Column("revoked_at", Moment),
    Column("reason", Number(RevocationReason)),
    Column("held_by", Uuid),
    Column("invalidity_date", Moment),
    Column("report_code_sha256", LargeBinary(32), unique=True),
    Column("import_id", Uuid),
    Column("imported_status", String(100)),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False),
    Unique("issuer", "serial"),
    Index("ix_certificates_owner_id", "owner", "id"),
    Index("ix_certificates_centre_id", "centre", "id"),
    Index("ix_certificates_serial", "serial"),
    # One certificate for one application: an abandoned intent does not count (invariant 3).
    Index(
        "uq_certificates_live_application",
        "application",
        unique=True,
        sqlite_where=text("state <> 'abandoned'"),
        postgresql_where=text("state <> 'abandoned'"),
    ),
    Index(
        "ix_certificates_open_intents",
        "created_at",
        sqlite_where=text("state = 'intent'"),
        postgresql_where=text("state = 'intent'"),
    ),
    Index(
        "ix_certificates_revoked",
        "issuer",
        "partition",
        "serial",
        *ENTRY,
        sqlite_where=ON_LISTS,
        postgresql_where=ON_LISTS,
    ),
    Index(
        "ix_certificates_revoked_serial",
        "issuer",
        "serial",
        *ENTRY,
        sqlite_where=ON_LISTS,
        postgresql_where=ON_LISTS,
    ),
    Index("ix_certificates_imported", "import_id", sqlite_where=IMPORTED, postgresql_where=IMPORTED),
)
"""``issuer`` has no foreign key: an authority's row comes after the certificate that its own key signs.
``search``: the subject in lower case."""

imports = Table(
    "imports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("issuer", Uuid, nullable=False),
    Column("owner", Uuid, nullable=False),
    Column("at", Moment, nullable=False),
    Column("taken_by", Uuid, nullable=False),
    Column("count", Integer),
    Column("digest", LargeBinary(32)),
)

certificate_grounds = Table(
    "certificate_grounds",
    metadata,
    Column("id", Uuid, primary_key=True),
    # No foreign key: should the row be removed, what was said of it is still there.
    Column("certificate", Uuid, nullable=False, index=True),
    Column("action", String(32), nullable=False),
    Column("by", String(254), nullable=False),
    Column("at", Moment, nullable=False),
    Column("words", Text, nullable=False),
)

authorities = Table(
    "authorities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("kind", Choice(AuthorityKind), nullable=False),
    Column("state", Choice(AuthorityState), nullable=False),
    Column("parent", Uuid, ForeignKey("authorities.id"), index=True),
    Column("environment", Choice(Environment), nullable=False),
    Column("key_reference", String(64), nullable=False, unique=True),
    Column("signature_algorithm", Choice(SignatureAlgorithm), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("certificate_id", Uuid, ForeignKey("certificates.id"), nullable=False, unique=True),
    Column("key_identifier", LargeBinary(20), nullable=False, unique=True),
    Column("partitions", Integer, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
)

published_crls = Table(
    "published_crls",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("authority", Uuid, ForeignKey("authorities.id"), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("base", BigInteger),
    Column("freshest", Boolean, nullable=False, server_default=false()),
    Column("this_update", Moment, nullable=False),
    Column("next_update", Moment, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Unique("authority", "partition", "number"),
)

crl_changes = Table(
    "crl_changes",
    metadata,
    # An INTEGER is what SQLite numbers by itself.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("authority", Uuid, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("certificate", Uuid, nullable=False),
    Index("ix_crl_changes_authority_partition", "authority", "partition"),
)
"""Which certificates have another entry than the full list that is published, for each list. Triggers write it, so that
no change is left out; whoever publishes a full list takes out what that list has seen."""

blocked_keys = Table(
    "blocked_keys",
    metadata,
    Column("spki_sha256", LargeBinary(32), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("at", Moment, nullable=False),
)
