"""``pechatnik ocsp``: ask our own responder, without the network."""

from __future__ import annotations

from typing import Annotated

import typer

from ca_core.domain.errors import ConfigurationError
from pechatnik.cli.cert import Which, _certificate
from pechatnik.cli.context import context_of
from pechatnik.cli.exit_codes import NEGATIVE

app = typer.Typer(name="ocsp", help="Certificate status.", no_args_is_help=True)


@app.command()
def query(ctx: typer.Context, which: Which) -> int:
    """What OCSP says about a certificate. Exit 3 when it is not good."""
    context = context_of(ctx)
    certificate = _certificate(context, which)
    status = context.program.ocsp.status(certificate.issuer, certificate.serial)
    reason = f" ({status.reason.label})" if status.reason is not None else ""
    context.output.result(status, f"{certificate.serial}: {status.status}{reason}")
    return 0 if status.status == "good" else NEGATIVE


@app.command()
def presign(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument(help="Name, such as issuing.")] = "issuing",
    anew: Annotated[bool, typer.Option("--anew", help="Forget the answers that are there first.")] = False,
) -> None:
    """Sign answers before anybody asks: what is missing and what comes due. The worker does so by itself."""
    context = context_of(ctx)
    if context.program.ready is None:
        raise ConfigurationError("status.presign is off: nobody would be given these answers")
    with context.output.counting("certificates looked at") as count:
        made = context.program.presigner.fill(
            context.actor, authority, anew=anew, progress=lambda seen, signed: count(seen)
        )
    context.output.result({"signed": made}, f"{made} answers signed")
