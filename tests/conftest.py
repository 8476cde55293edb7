"""Databases, time and keys. A test that takes ``transactions`` or ``database_url`` runs on each database."""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine, text

from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.storage import schema
from ca_core.storage.engine import engine_for
from ca_core.storage.transactions import Transactions

if os.environ.get("PECHATNIK_CI"):
    # What guards a change looks at the same examples each time; whoever works on it looks at others each time.
    hypothesis.settings.register_profile("ci", derandomize=True)
    hypothesis.settings.load_profile("ci")

_NUMBERS = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything has to be there, a skipped test is a failure: half of the tests may be missing otherwise."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("PECHATNIK_CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class Clock:
    """Stands still at the moment the test began, until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> datetime:
        """Move on (or back) and tell the new present."""
        self.moment += by
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of our own on a unix socket, without its database name."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb")] if path
    ]
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries = found[-1].parent
    # The server refuses to run as root, and unix socket paths are short.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    home = Path(subprocess.check_output(["mktemp", "-d", "/tmp/pechatnik-pg-XXXXXX"], text=True).strip())
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")

    def run(*command: str) -> None:
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd=home)

    without_power_cuts = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
    options = f"-k {home} -c listen_addresses='' -c max_connections=200 {without_power_cuts}"
    run(str(binaries / "initdb"), "-D", str(home / "data"), "-A", "trust", "-E", "UTF8", "--no-sync")
    run(str(binaries / "pg_ctl"), "-D", str(home / "data"), "-w", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql+psycopg://{user}@/{{}}?host={home}"
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(home / "data"), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    engine = engine_for(f"sqlite:///{path}")
    schema.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of an empty database of the present schema, to be copied."""
    _administer(postgresql_server, "CREATE DATABASE template_pechatnik")
    engine = engine_for(postgresql_server.format("template_pechatnik"))
    schema.upgrade(engine)
    engine.dispose()
    return "template_pechatnik"


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def copy_postgresql(postgresql_server: str) -> Callable[[str, str], str]:
    """Copies a database under a new name and tells its URL."""

    def copy(template: str, name: str) -> str:
        _administer(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {template}")
        return postgresql_server.format(name)

    return copy


@pytest.fixture(scope="session")
def drop_postgresql(postgresql_server: str) -> Callable[[str], None]:
    """Drops a database of that name, so that copies do not fill the disk."""
    return lambda name: _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which one."""
    return str(request.param)


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, upgraded and empty."""
    if database == "sqlite":
        path = tmp_path / "test.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    copy = request.getfixturevalue("copy_postgresql")
    drop = request.getfixturevalue("drop_postgresql")
    name = f"test_{next(_NUMBERS)}"
    yield copy(request.getfixturevalue("postgresql_template"), name)
    drop(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    found = engine_for(database_url, synchronous="NORMAL")
    yield found
    found.dispose()


@pytest.fixture(scope="session")
def symmetric_keys(tmp_path_factory: pytest.TempPathFactory) -> SymmetricKeyStore:
    """Symmetric keys of every purpose, made once."""
    store = SymmetricKeyStore(
        tmp_path_factory.mktemp("symmetric") / "keys", lambda: b"only for tests", entropy=secrets.token_bytes
    )
    for purpose in ("audit", "documents", "account", "site"):
        store.create(purpose)
    return store


@pytest.fixture
def make_transactions(
    engine: Engine, symmetric_keys: SymmetricKeyStore
) -> Callable[[Callable[[], datetime]], Transactions]:
    """Transactions by the clock that is given."""
    return lambda clock: Transactions(engine, clock=clock, entropy=secrets.token_bytes, audit_keys=symmetric_keys)


@pytest.fixture
def transactions(make_transactions: Callable[[Callable[[], datetime]], Transactions], clock: Clock) -> Transactions:
    """Transactions by the test's ``clock``."""
    return make_transactions(clock)
