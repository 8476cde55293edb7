"""``pechatnik ca``: make, show and renew the authority's own keys and certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ca_core.domain.access import Permission
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import NotFound
from ca_core.keys.secrets_source import read_secret
from ca_core.services.time_stamping_units import PROFILE
from pechatnik.cli.application import _pairs
from pechatnik.cli.context import MAX_LIST, context_of, read_file, write_file

app = typer.Typer(name="ca", help="The authority's own keys and certificates.", no_args_is_help=True)

COLUMNS = {
    "name": "name",
    "kind": "kind",
    "state": "state",
    "signature_algorithm": "signs with",
    "not_after": "not after",
    "key_identifier": "key",
}


@app.command()
def init(
    ctx: typer.Context,
    organization: Annotated[str, typer.Option(help="O of the authority's own names.")],
    country: Annotated[str, typer.Option(help="C, two letters.")] = "XX",
    algorithm: Annotated[
        KeyAlgorithm, typer.Option(help="Key algorithm of root and issuing authority.")
    ] = KeyAlgorithm.EC_P384,
    issuing_algorithm: Annotated[KeyAlgorithm | None, typer.Option(help="Where the issuing authority differs.")] = None,
    responder_algorithm: Annotated[KeyAlgorithm, typer.Option()] = KeyAlgorithm.EC_P256,
    partitions: Annotated[
        int, typer.Option(min=0, max=1024, help="CRL partitions, fixed for life; 0 is one list.")
    ] = 0,
) -> None:
    """Make root, issuing authority and OCSP responder, each linted, and their first CRLs."""
    context = context_of(ctx)
    if context.dry_run:
        context.output.result(
            {"organization": organization}, f"would make root, issuing authority and responder for {organization}"
        )
        return
    made = context.program.initialise(
        context.actor,
        organization=organization,
        country=country,
        root_algorithm=algorithm,
        issuing_algorithm=issuing_algorithm or algorithm,
        responder_algorithm=responder_algorithm,
        partitions=partitions,
    )
    context.output.table(made, COLUMNS)


@app.command("import")
def import_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Short name that it gets here.")],
    certificate: Annotated[Path, typer.Option(help="Its certificate, PEM or DER.")],
    key: Annotated[
        str | None, typer.Option(help="Reference of its key in the key store: the label on a token.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="Its key, PKCS#8 in PEM, to be kept in the key store.")] = None,
    key_passphrase_file: Annotated[Path | None, typer.Option(help="File with the passphrase of that key.")] = None,
    crl: Annotated[Path | None, typer.Option(help="Its last full list; numbers go on from there.")] = None,
) -> None:
    """Take over an authority from another software, the root first. Without a key it only stands above others."""
    context = context_of(ctx)
    passphrase = None
    if key_passphrase_file is not None:
        passphrase = read_secret(file=key_passphrase_file, variable=None, environment={})
    authority = context.services.authority_import.take_in(
        context.actor,
        name,
        read_file(certificate),
        key_reference=key,
        private_key=None if key_file is None else read_file(key_file),
        passphrase=passphrase,
        last_list=None if crl is None else read_file(crl, limit=MAX_LIST),
    )
    context.output.result(authority, f"authority {authority.name} is here ({authority.state.value})")


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument()] = None,
    out: Annotated[Path | None, typer.Option(help="Write the certificate (PEM) here.")] = None,
) -> None:
    """All authorities, or one."""
    context = context_of(ctx)
    everyone = context.services.authorities.list(context.actor)
    chosen = [one for one in everyone if name in (None, one.name)]
    if name is not None and not chosen:
        raise NotFound(f"there is no authority named {name!r}; 'pechatnik ca show' lists them")
    if out is not None and len(chosen) == 1:
        from ca_core.x509.certificate import to_pem

        write_file(out, to_pem(chosen[0].certificate).encode())
        return
    context.output.table(chosen, COLUMNS)


@app.command()
def tsa(
    ctx: typer.Context,
    authority: Annotated[str, typer.Option(help="Issuing authority that it stands under.")] = "issuing",
    profile: Annotated[str, typer.Option(help="Its certificate's profile.")] = PROFILE,
    algorithm: Annotated[KeyAlgorithm, typer.Option(help="Of its key.")] = KeyAlgorithm.EC_P256,
    subject: Annotated[list[str], typer.Option("--subject", "-s", help="NAME=VALUE, where its issuer's differs.")] = [],  # noqa: B006
) -> None:
    """Make a time-stamping authority. The worker renews it."""
    context = context_of(ctx)
    made = context.services.time_stamping_units.make(
        context.actor,
        authority,
        algorithm=algorithm,
        profile=profile,
        subject=_pairs(subject, "--subject"),
        pretend=context.dry_run,
    )
    if made is None:
        context.output.result({"authority": authority}, f"would make a time-stamping authority under {authority}")
    else:
        context.output.table([made], COLUMNS)


@app.command()
def rotate(ctx: typer.Context) -> None:
    """Renew OCSP responders and time-stamping authorities that are due. The worker does the same by itself."""
    context = context_of(ctx)
    renewed = context.services.authorities.renew_responders(context.actor)
    if context.actor.may(Permission.TIMESTAMP_MANAGE):
        renewed += context.services.time_stamping_units.renew(context.actor)
    context.output.result({"renewed": renewed}, f"{renewed} renewed" if renewed else "nothing is due")
