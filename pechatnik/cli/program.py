"""The entry point: global options, the nouns, and errors turned into exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# typer brings its own click, whose usage errors it does not export.
from typer._click.exceptions import ClickException

from ca_core.domain.errors import CaError, InvalidInput
from pechatnik import __version__
from pechatnik.cli import (
    account,
    application,
    audit,
    authority,
    batch,
    cert,
    cert_import,
    cert_verify,
    crl,
    database,
    mass_revocation,
    ocsp,
    plugin,
    process,
    settings,
    signature,
)
from pechatnik.cli.context import Context
from pechatnik.cli.exit_codes import INTERRUPTED, USAGE, exit_code_of
from pechatnik.cli.output import Output

app = typer.Typer(
    name="pechatnik",
    help="A certificate authority that runs as an operation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
process.register(app)
for of_certificates in (cert_import, cert_verify, mass_revocation):
    of_certificates.register(cert.app)
for noun in (authority, application, cert, crl, ocsp, signature, audit, database, settings, plugin):
    app.add_typer(noun.app)
cert.app.command("batch")(batch.batch)
for group in (account.accounts, account.tokens, account.centres):
    app.add_typer(group)

_output = Output(as_json=False, quiet=False)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"pechatnik {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", "-c", envvar="PECHATNIK_CONFIG", help="Configuration file.", show_default=True)
    ] = Path("pechatnik.toml"),
    token_file: Annotated[
        Path | None, typer.Option(help="File with the API token to act with; else PECHATNIK_TOKEN; else the system.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Show what would happen, change nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True)] = 0,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    global _output
    _output = Output(as_json=as_json, quiet=quiet)
    ctx.obj = Context(
        config_path=config, token_file=token_file, output=_output, yes=yes, dry_run=dry_run, verbose=verbose
    )


FLAGS = frozenset({"--json", "--yes", "-y", "--dry-run", "--quiet", "-q", "--verbose", "-v", "-vv"})
VALUED = frozenset({"--config", "-c", "--token-file"})


def hoist(arguments: list[str]) -> list[str]:
    """Global options may stand anywhere before ``--``: move them before the noun, where they are declared."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            return [*front, *rest, argument, *pending]
        if argument in FLAGS or (argument.split("=", 1)[0] in VALUED and "=" in argument):
            front.append(argument)
        elif argument in VALUED:
            front += [argument, *([value] if (value := next(pending, None)) is not None else [])]
        else:
            rest.append(argument)
    return [*front, *rest]


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code. What it writes is for the user it runs as alone."""
    os.umask(0o077)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        result = app(hoist(sys.argv[1:] if arguments is None else arguments), standalone_mode=False)
        return result if isinstance(result, int) else 0
    except CaError as error:
        _output.error(error)
        return exit_code_of(error)
    except typer.Abort:
        return INTERRUPTED
    except ClickException as error:
        _output.error(InvalidInput(error.format_message()))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 0
