"""What every command shares: the options before the noun, the running program, and who is asking."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from ca_core.domain.access import SYSTEM_ACTOR, Actor
from ca_core.domain.errors import ConfigurationError, InvalidInput
from ca_core.keys.secrets_source import read_secret
from pechatnik.cli.output import Output

if TYPE_CHECKING:
    from ca_core.services.suite import Services
    from pechatnik.program import Program

WITH_DRY_RUN = frozenset(
    {
        "application new",
        "application approve",
        "cert batch",
        "cert import",
        "cert issue",
        "cert revoke",
        "cert revoke-many",
        "ca init",
        "ca tsa",
        "db upgrade",
        "ocsp export",
        "signature timestamp",
    }
)
"""Commands that show what they would do."""
READING_VERBS = frozenset({"list", "revocations", "timestamps", "show", "verify", "check", "query", "doctor"})
"""Verbs that change nothing anyway."""
TOKEN_VARIABLE = "PECHATNIK_TOKEN"  # noqa: S105 - the name of the variable, not a token
MAX_INPUT = 64 * 1024 * 1024
"""Octets a command reads from a file or standard input."""
MAX_LIST = 1 << 31
"""Octets of a revocation list or index of another authority: some tens of millions of entries."""


@dataclass(kw_only=True)
class Context:
    """One invocation of the command line."""

    config_path: Path
    token_file: Path | None
    output: Output
    yes: bool
    dry_run: bool
    verbose: int

    @cached_property
    def program(self) -> Program:
        """Everything wired up; built on first use, so that ``--help`` stays quick."""
        from pechatnik.bootstrap import build
        from pechatnik.config import load

        return build(load(self.config_path))

    @property
    def services(self) -> Services:
        return self.program.services

    @cached_property
    def actor(self) -> Actor:
        """The holder of the API token in ``--token-file`` or ``PECHATNIK_TOKEN``; without one, the system itself,
        which may do everything but review and approve."""
        variable = None if self.token_file else TOKEN_VARIABLE
        if variable is not None and variable not in os.environ:
            return SYSTEM_ACTOR
        # A token that was named and is not there stops the command: it must not go on with the system's rights.
        secret = read_secret(file=self.token_file, variable=variable, environment=os.environ)
        token = secret.decode(errors="replace").strip()
        if not token.isascii() or not token.isprintable() or not token:
            raise ConfigurationError(f"{self.token_file or variable} holds no API token; put one there")
        return self.services.tokens.authenticate(token)

    def confirm(self, question: str) -> None:
        """Ask at a terminal; without one, or with --yes, go on only when --yes was given."""
        if self.yes:
            return
        if not sys.stdin.isatty() or not typer.confirm(question, err=True):
            raise InvalidInput("nothing was done; add --yes to go on without the question")


def context_of(ctx: typer.Context) -> Context:
    """What the command works with; InvalidInput when it was to be a dry run and the command has none."""
    found = ctx.find_object(Context)
    assert found is not None
    # Without the program, whose name has as many words as it was called with: python -m pechatnik.
    verb = ctx.command_path.removeprefix(ctx.find_root().command_path).strip()
    if found.dry_run and verb not in WITH_DRY_RUN and verb.split()[-1] not in READING_VERBS:
        raise InvalidInput(f"'{verb}' has no dry run; nothing was done")
    return found


def identifier(text: str) -> UUID | str:
    """How a command names an object: by its id, or by what people call it."""
    try:
        return UUID(text)
    except ValueError:
        return text


def read_file(path: Path, *, limit: int = MAX_INPUT) -> bytes:
    """A file's bytes, or standard input for ``-``; InvalidInput for more than ``limit`` octets."""
    if str(path) == "-":
        data = sys.stdin.buffer.read(limit + 1)
    else:
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise InvalidInput(f"{path} is larger than {limit} octets")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a result; ``-`` is standard output. An existing file is not overwritten."""
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InvalidInput(f"{path} exists already; name another file") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from None
