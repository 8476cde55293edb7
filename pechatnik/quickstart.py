"""``pechatnik quickstart``: a demo authority with people and papers, the whole journey, then, if asked, a server."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import AuthorityKind
from ca_core.domain.errors import ConfigurationError
from pechatnik import config as configuration
from pechatnik.adapters import engine_of, make_data_directory
from pechatnik.bootstrap import build
from pechatnik.cli.output import Output
from pechatnik.journey import Cast, Journey
from pechatnik.program import Program
from pechatnik.server import refuse_taken, serve as serve_forever

T = TypeVar("T")
PEOPLE = {
    "subscriber": ("subscriber@example.org", "Anna Obraztsova", frozenset({Role.SUBSCRIBER})),
    "operator": ("operator@example.org", "Oleg Operator", frozenset({Role.OPERATOR})),
    "reviewer": ("reviewer@example.org", "Rita Reviewer", frozenset({Role.REVIEWER})),
    "officer": ("officer@example.org", "Sofia Officer", frozenset({Role.SECURITY_OFFICER})),
    "auditor": ("auditor@example.org", "Artur Auditor", frozenset({Role.AUDITOR})),
    "administrator": ("admin@example.org", "Ada Admin", frozenset({Role.ADMINISTRATOR})),
}
MARK = "demo-accounts.txt"
"""Where the demo accounts' passwords are kept, for a later visit; only in a demo authority."""
PARTS = frozenset({"pechatnik.toml", "secrets", "data", MARK})
"""All that a demo authority's folder holds."""


class Progress:
    """One line for each step on stderr: what, how it went, how long it took."""

    def __init__(self, output: Output) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, quiet=output.quiet or output.as_json)
        self._started = time.monotonic()
        self._last = self._started
        self.steps: list[dict[str, object]] = []

    def done(self, what: str, how: str) -> None:
        now = time.monotonic()
        self.steps.append({"step": what, "result": how, "seconds": round(now - self._last, 3)})
        self._console.print(f"  ✓ {what}: {how}", soft_wrap=True)
        self._last = now

    def during(self, what: str, work: Callable[[], T]) -> T:
        """Show a spinner while a longer step runs."""
        with self._console.status(f"{what} …"):
            return work()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def run(directory: Path, *, fresh: bool, serve: bool, port: int, output: Output) -> int:
    """Make the demo authority (or take the one that is there), walk the journey, serve if asked. The exit code."""
    directory = directory.resolve()
    config_path = directory / "pechatnik.toml"
    if serve:
        refuse_taken("127.0.0.1", port)
    with _readable(directory):
        if fresh and directory.exists():
            _remove(directory)
        known = config_path.exists()
    progress = Progress(output)
    output.say(f"Pechatnik demo authority in {directory}")
    if not known:
        with _readable(directory):
            _write_configuration(directory, port)
        progress.done("Configuration", f"{config_path.name}, secrets in secrets/, all below {directory.name}/")
    program = build_upgraded(config_path)
    made_at_first = {AuthorityKind.ROOT, AuthorityKind.ISSUING, AuthorityKind.OCSP_RESPONDER}
    if not made_at_first <= {one.kind for one in program.services.authorities.list(SYSTEM_ACTOR)}:
        # None yet, or an earlier visit was interrupted among them.
        made = progress.during(
            "Making root, issuing authority and OCSP responder",
            lambda: program.initialise(
                SYSTEM_ACTOR,
                organization="Pechatnik Demo",
                country="XX",
                root_algorithm=KeyAlgorithm.EC_P384,
                issuing_algorithm=KeyAlgorithm.EC_P256,
                responder_algorithm=KeyAlgorithm.EC_P256,
                partitions=0,
            ),
        )
        progress.done("Demo authority", ", ".join(authority.name for authority in made))
    cast = _people(program, directory / MARK)
    progress.done("People", ", ".join(PEOPLE))
    walk = Journey(program, cast).walk()
    try:
        while (step := progress.during("Working", lambda: next(walk, None))) is not None:
            progress.done(*step)
    except KeyboardInterrupt:
        output.say("Interrupted. What was done is on record; the same command goes on with a new journey.")
        raise
    output.result(
        {"directory": directory, "steps": progress.steps, "seconds": round(progress.seconds, 1)},
        f"The journey took {progress.seconds:.1f} s. Demo accounts and passwords: {directory / MARK}",
    )
    if serve:
        url, named = f"http://127.0.0.1:{port}", program.config.server.public_url
        elsewhere = f"  Certificates made here name {named}, where this authority was served first.\n"
        output.say(
            f"\nServing until Ctrl-C\n"
            f"  cabinet   {url}/\n"
            f"  staff     {url}/admin/\n"
            f"  API       {url}/api/v1/openapi.json\n"
            f"  ready?    {url}/readyz\n"
            f"{elsewhere if named != url else ''}"
            f"DEMONSTRATION: these certificates prove nothing. To remove it all: rm -r {directory}"
        )
        program.close()
        serve_forever(config_path, configuration.load(config_path), port=port)
    return 0


def build_upgraded(config_path: Path) -> Program:
    """The program over a database brought up to date."""
    from ca_core.storage import schema

    config = configuration.load(config_path)
    make_data_directory(config)
    engine = engine_of(config)
    schema.upgrade(engine)
    engine.dispose()
    return build(config)


@contextmanager
def _readable(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{directory} cannot be used: {error.strerror}; name another place with --directory"
        ) from None


def _write_configuration(directory: Path, port: int) -> None:
    for folder in (directory, directory / "secrets", directory / "data"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = directory / "secrets" / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_urlsafe(32), encoding="ascii")
    (directory / "pechatnik.toml").write_text(
        f"""# A demo authority, made by 'pechatnik quickstart'. docs/operations.md explains every key.
[installation]
name = "Pechatnik"
environment = "demo"
data = "data"

[secrets]
passphrase_file = "secrets/passphrase"

[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
cookies_over_tls_only = false
""",
        encoding="utf-8",
    )


def _remove(directory: Path) -> None:
    """Remove an earlier demo authority, and nothing that is not part of one."""
    config_path = directory / "pechatnik.toml"
    names = {path.name for path in directory.iterdir()}
    if names and not (config_path.exists() and 'environment = "demo"' in config_path.read_text(encoding="utf-8")):
        raise ConfigurationError(f"{directory} holds something other than a demo authority; it was left alone")
    if others := sorted(names - PARTS):
        raise ConfigurationError(
            f"{directory} holds {', '.join(others)} beside the demo authority; move that away, or name another place "
            "with --directory"
        )
    for name in names & PARTS:
        path = directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _people(program: Program, mark: Path) -> Cast:
    accounts = program.services.accounts
    centres = {centre.code: centre for centre in accounts.list_centres(SYSTEM_ACTOR)}
    centre = centres.get("DEMO-01") or accounts.create_centre(SYSTEM_ACTOR, code="DEMO-01", name="Demo service centre")
    mark.touch(mode=0o600)
    noted = mark.read_text(encoding="utf-8")
    actors = {}
    for part, (email, name, roles) in PEOPLE.items():
        account, password = accounts.known(SYSTEM_ACTOR, email), ""
        if account is None:
            account, password = accounts.create(
                SYSTEM_ACTOR,
                email=email,
                name=name,
                roles=roles,
                centres=frozenset({centre.id}) if Role.OPERATOR in roles else frozenset(),
                password=None,
            )
        elif email not in noted:
            # The file is gone, or an earlier visit was interrupted before it wrote the password down.
            account, password = accounts.reset_access(SYSTEM_ACTOR, account.id)
        if password:
            with mark.open("a", encoding="utf-8") as file:
                file.write(f"{email}  {password}  {', '.join(sorted(roles))}\n")
        actors[part] = account.actor()
    return Cast(
        subscriber=actors["subscriber"], operator=actors["operator"], reviewer=actors["reviewer"], centre=centre.id
    )
