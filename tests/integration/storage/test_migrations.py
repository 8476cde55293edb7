"""Migrations up and down on both databases, and the check that tells when a schema is not as it should be."""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.authority import Authority, AuthorityKind
from ca_core.domain.profile import Environment
from ca_core.storage import schema, triggers

CATALOGUE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE '%alembic_version%'",
    "postgresql": "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public')"
    " AND relname NOT LIKE 'alembic_version%' UNION ALL SELECT tgname FROM pg_trigger"
    " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('public')",
}


def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    assert schema.current(engine) == schema.head()
    assert schema.check(engine) == []
    schema.downgrade(engine, "base")
    assert schema.current(engine) is None
    with engine.execution_options(read_only=True).connect() as connection:
        left = connection.execute(text(CATALOGUE[engine.dialect.name])).scalars().all()
    assert left == [], "no table, index, trigger or function"
    schema.upgrade(engine)
    schema.upgrade(engine)
    assert schema.check(engine) == []


def test_what_was_looked_at_is_kept_through_the_second_version(shelf: Any, engine: Engine) -> None:
    """One page is all that an earlier view is known to have been of."""
    operator = UUID(int=5)
    application = shelf.application(shelf.account("anna"), shelf.centre("C-1"))
    one, two = shelf.document(application, pages=1), shelf.document(application, pages=2)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        for document in (one, two):
            for page in range(1, document.pages + 1):
                tx.documents.add_view(document.id, operator, page, document.sha256, tx.now)
    schema.downgrade(engine, "0001")
    with engine.connect() as connection:
        later = {
            name
            for one in (*triggers.TRIGGERS, *triggers.NOTES)
            if {
                "account_changes",
                "snapshots",
                "certificate_grounds",
                "crl_changes",
                "imports",
                "mass_revocations",
                "mass_revocation_members",
                "timestamps",
            }
            & {*one.tables()}
            for name in one.names(engine.dialect.name)
        }
        assert set(triggers.missing(connection)) == later, "all but those of tables that came later"
    schema.upgrade(engine)
    assert schema.check(engine) == []
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.documents.viewed_by(application.id, operator) == {one.id}


def test_an_earlier_version_has_no_trigger_that_asks_a_table_of_a_later_one(shelf: Any, engine: Engine) -> None:
    shelf.account("anna")
    schema.downgrade(engine, "0002")
    with engine.begin() as connection:
        assert connection.execute(text("UPDATE accounts SET name = 'Anna'")).rowcount == 1
        assert "certificate_is_approved" not in triggers.missing(connection)


HASHES = (
    "SELECT name_hash_sha1, key_hash_sha1, name_hash_sha256, key_hash_sha256 FROM authorities WHERE name = 'issuing'"
)


def test_an_earlier_version_has_the_hashes_of_issuers_again(shelf: Any, engine: Engine) -> None:
    """The later one makes them from the certificate when it needs them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Issuing CA")])
    moment = datetime(2026, 1, 1)  # noqa: DTZ001  # cryptography takes UTC
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, moment, moment).sign(key, hashes.SHA256())
    certificate = shelf.issued()
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.authorities.add(
            Authority(
                id=tx.new_id(), name="issuing", kind=AuthorityKind.ISSUING, parent=None,
                environment=Environment.PRODUCTION, key_reference="issuing",
                signature_algorithm=SignatureAlgorithm.ECDSA_SHA256, certificate=made.public_bytes(Encoding.DER),
                certificate_id=certificate.id, key_identifier=bytes(20), not_before=tx.now, not_after=tx.now,
                created_at=tx.now,
            )
        )  # fmt: skip
    schema.downgrade(engine, "0005")
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with engine.connect() as connection:
        assert [bytes(one) for one in connection.execute(text(HASHES)).one()] == [
            hashlib.new(digest, what).digest() for digest in ("sha1", "sha256") for what in (name.public_bytes(), point)
        ]
    schema.upgrade(engine)
    assert schema.check(engine) == []
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.authorities.by_name("issuing").certificate == made.public_bytes(Encoding.DER)


DAMAGE = {
    "an index is missing": ("DROP INDEX ix_jobs_state_run_at", "the index ix_jobs_state_run_at of jobs is missing"),
    "a column is missing": ("ALTER TABLE jobs DROP COLUMN finished_at", "the column finished_at of jobs is missing"),
    "a column too many": (
        "ALTER TABLE centres ADD COLUMN extra INTEGER",
        "the column extra of centres is not of this program",
    ),
    "a table is missing": ("DROP TABLE notices", "the table notices is missing"),
}
TRIGGER_DAMAGE = {
    "sqlite": [
        "DROP TRIGGER audit_record_stays",
        "DROP TRIGGER audit_record_stays; CREATE TRIGGER audit_record_stays BEFORE UPDATE ON audit_records"
        " WHEN 1 = 0 BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    ],
    "postgresql": [
        "DROP TRIGGER audit_record_stays ON audit_records",
        "DROP TRIGGER audit_record_is_kept_whole ON audit_records",
        "ALTER TABLE audit_records DISABLE TRIGGER audit_record_stays",
        "CREATE OR REPLACE FUNCTION audit_record_stays() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN NEW; END $$",
    ],
}


@pytest.mark.parametrize(("damage", "named"), DAMAGE.values(), ids=DAMAGE)
def test_a_difference_is_told(engine: Engine, damage: str, named: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(damage))
    differences = schema.check(engine)
    assert named in differences
    assert all(one.startswith("the ") for one in differences)


def test_a_column_that_may_be_empty_and_a_constraint_that_is_gone_are_told(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        return  # which can alter neither
    for statement in ("COLUMN name DROP NOT NULL", "COLUMN code DROP NOT NULL"):
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE centres ALTER {statement}"))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE centres DROP CONSTRAINT uq_centres_code"))
    assert set(schema.check(engine)) == {
        "the column name of centres is another (nullable)",
        "the column code of centres is another (nullable)",
        "the constraint uq_centres_code of centres is missing",
    }


def test_a_trigger_that_is_missing_switched_off_or_weakened_is_told(engine: Engine) -> None:
    for damage in TRIGGER_DAMAGE[engine.dialect.name]:
        with engine.connect() as connection, connection.begin() as transaction:
            assert triggers.missing(connection) == []
            for statement in damage.split("; ", 1) if damage.startswith("DROP") else [damage]:
                connection.exec_driver_sql(statement)
            assert len(triggers.missing(connection)) == 1, damage
            transaction.rollback()
    with engine.begin() as connection:
        connection.exec_driver_sql(TRIGGER_DAMAGE[engine.dialect.name][0])
    assert schema.check(engine) == ["the trigger audit_record_stays is missing or another"]


def test_migrations_are_installed_with_the_package() -> None:
    installed = files("ca_core.storage") / "migrations"
    assert (installed / "env.py").is_file()
    assert list((installed / "versions").glob(f"v{schema.head()}_*.py"))


def test_the_newest_file_is_the_head_of_the_one_line_of_revisions() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(schema.VERSIONS))
    assert scripts.get_heads() == [schema.head()]
    assert [one.revision for one in scripts.walk_revisions()][::-1] == sorted(
        path.stem[1:5] for path in (schema.VERSIONS / "versions").glob("v[0-9]*.py")
    )


def test_an_empty_database_is_told_apart(engine: Engine) -> None:
    schema.downgrade(engine, "base")
    assert "version None" in schema.check(engine)[0]
