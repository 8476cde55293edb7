"""Migrations up and down on both databases, and the check that tells when a schema is not as it should be."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, inspect, text

from ca_core.storage import schema


def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    assert schema.current(engine) == schema.head()
    assert schema.check(engine) == []
    schema.downgrade(engine, "base")
    assert schema.current(engine) is None
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(engine)
    schema.upgrade(engine)
    assert schema.check(engine) == []


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("DROP INDEX ix_jobs_state_run_at", "ix_jobs_state_run_at"),
        ("ALTER TABLE centres ADD COLUMN extra INTEGER", "extra"),
        ("trigger", "audit_record_stays"),
    ],
)
def test_a_difference_is_told(engine: Engine, damage: str, named: str) -> None:
    if damage == "trigger":
        on = " ON audit_records" if engine.dialect.name == "postgresql" else ""
        damage = f"DROP TRIGGER audit_record_stays{on}"
    with engine.begin() as connection:
        connection.execute(text(damage))
    assert any(named in one for one in schema.check(engine))


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
