"""``pechatnik ocsp``: ask our own responder, without the network."""

from __future__ import annotations

import typer

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
