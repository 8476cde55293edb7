"""The schema and its versions; migrations live in the package, so that every installation has them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from ca_core.storage import triggers
from ca_core.storage.refusals import translated
from ca_core.storage.tables import metadata

VERSIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Bring the database to :func:`head`; nothing happens when it is there."""
    with translated(), engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Back to an earlier version, or to ``base``: nothing at all."""
    with translated(), engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The version that the database has; None when it is empty."""
    with translated(), engine.execution_options(read_only=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The version that this program needs."""
    found = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert found is not None
    return found


def check(engine: Engine) -> list[str]:
    """How the database differs from what this program needs; empty when it does not."""
    with translated(), engine.execution_options(read_only=True).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        version = context.get_current_revision()
        if version != head():
            return [f"the database is of version {version}, the program of {head()}"]
        differences = [str(one) for one in compare_metadata(context, metadata)]
        return differences + [f"the trigger {name} is missing" for name in triggers.missing(connection)]


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS))
    config.attributes["connection"] = connection
    return config
