"""The schema and its versions; migrations live in the package, so that every installation has them.

Every start compares versions, and few migrate: alembic takes a third of a second to import, so it is imported by those.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, inspect, text

from ca_core.domain.errors import ConfigurationError
from ca_core.storage import triggers
from ca_core.storage.refusals import translated
from ca_core.storage.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Bring the database to :func:`head`; nothing happens when it is there. ConfigurationError for a database of a
    version that this program does not know."""
    from alembic import command

    _require_known(current(engine))
    with translated(), engine.begin() as connection:
        triggers.drop(connection)
        command.upgrade(_config(connection), "head")
        triggers.create(connection)


def downgrade(engine: Engine, revision: str) -> None:
    """Back to an earlier version, or to ``base``: nothing at all."""
    from alembic import command

    with translated(), engine.begin() as connection:
        triggers.drop(connection)
        command.downgrade(_config(connection), revision)
        if revision != "base":
            triggers.create(connection)


def current(engine: Engine) -> str | None:
    """The version that the database has; None when it is empty."""
    with translated(), engine.execution_options(read_only=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return version


def head() -> str:
    """The version that this program needs."""
    return max(_known())


def _known() -> set[str]:
    # Files are named vNNNN_what.py after their revision, one line of them without branches.
    return {path.stem[1:5] for path in (VERSIONS / "versions").glob("v[0-9]*.py")}


def require_current(engine: Engine) -> None:
    """ConfigurationError, with what to do, for a database of another version than :func:`head`."""
    version = current(engine)
    _require_known(version)
    if version != head():
        raise ConfigurationError("the database is not of this version; run: pechatnik db upgrade")


def has_records(engine: Engine) -> bool:
    """Whether anything was ever done in this database."""
    with translated(), engine.execution_options(read_only=True).connect() as connection:
        return connection.execute(text("SELECT 1 FROM audit_records LIMIT 1")).first() is not None


def check(engine: Engine) -> list[str]:
    """How the database differs from what this program needs; empty when it does not."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with translated(), engine.execution_options(read_only=True).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        version = context.get_current_revision()
        if version != head():
            return [f"the database is of version {version}, the program of {head()}"]
        differences = [one for found in compare_metadata(context, metadata) for one in _sentences(found)]
        return differences + [f"the trigger {name} is missing or another" for name in triggers.missing(connection)]


def _sentences(found: Any) -> Iterator[str]:
    """What alembic found, in words: a tuple of what it would do, what for and to what; a list for one column."""
    if isinstance(found, list):
        for one in found:
            yield from _sentences(one)
        return
    operation, *_, what = found
    verb, _, kind = operation.partition("_")
    if kind == "column":
        yield f"the column {what.name} of {found[2]} {_IS[verb]}"
    elif verb in _IS and kind == "table":
        yield f"the table {what.name} {_IS[verb]}"
    elif verb in _IS:
        yield f"the {_KINDS.get(kind, 'constraint')} {what.name} of {what.table.name} {_IS[verb]}"
    else:
        yield f"the column {found[3]} of {found[2]} is another ({operation.removeprefix('modify_')})"


_IS = {"add": "is missing", "remove": "is not of this program"}
_KINDS = {"index": "index", "fk": "foreign key"}


def _require_known(version: str | None) -> None:
    if version is not None and version not in _known():
        raise ConfigurationError(
            f"the database is of version {version}, which this program does not know (it knows up to {head()}); "
            "use the newer program"
        )


def _config(connection: object) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(VERSIONS))
    config.attributes["connection"] = connection
    return config
