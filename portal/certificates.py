"""My certificates: the list, one with its downloads, hold, loss and replacement."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.access import Actor
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import CaError, NotFound
from ca_core.services.replacement_reason import Circumstance
from portal.blueprint import blueprint
from portal.caller import PAGE, subscriber
from web.forms import back, seen_version
from web.identity import services
from web.limits import reports_compromise, revocations

LISTED = (CertificateState.ISSUED, CertificateState.HELD, CertificateState.REVOKED)
"""Intents and abandoned ones are no certificates to their owner."""
FORMATS = {
    "pem": ("pem", "application/x-pem-file"),
    # RFC 2585 §4.1
    "der": ("cer", "application/pkix-cert"),
    "chain": ("chain.pem", "application/x-pem-file"),
}
"""Download: file ending and content type."""


@blueprint.get("/certificates")
def certificates() -> ResponseReturnValue:
    state, text = request.args.get("state", ""), request.args.get("text", "").strip()[:100]
    page = services().certificates.list(
        subscriber(),
        states=(state,) if state in LISTED else LISTED,
        text=text,
        cursor=request.args.get("cursor") or None,
        limit=PAGE,
    )
    return render_template("portal/certificates.html", page=page, text=text, state=state, states=LISTED)


@blueprint.get("/certificates/<uuid:id>")
def certificate(id: UUID) -> ResponseReturnValue:
    actor = subscriber()
    found = _found(actor, id)
    application = services().intake.get(actor, found.application).application if found.application else None
    return render_template(
        "portal/certificate.html",
        certificate=found,
        application=application,
        replacement=services().replacement.running(actor, found.id),
        active=found.state in (CertificateState.ISSUED, CertificateState.HELD),
        own_hold=found.state is CertificateState.HELD and found.held_by == actor.id,
    )


@blueprint.get("/certificates/<uuid:id>/<any(pem, der, chain):format>")
def download(id: UUID, format: str) -> ResponseReturnValue:
    actor = subscriber()
    found = _found(actor, id)
    ending, content_type = FORMATS[format]
    response = Response(services().certificates.export(actor, id, format), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.serial.hex}.{ending}"'
    return response


@blueprint.post("/certificates/<uuid:id>/hold")
def hold(id: UUID) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    try:
        services().revocation.hold(actor, id, because=request.form.get("because", ""), version=version)
    except CaError as error:
        return back(url_for(".certificate", id=id), error)
    flash(_("The certificate is on hold: whoever checks it now is told that it does not count."), "done")
    return redirect(url_for(".certificate", id=id))


@blueprint.post("/certificates/<uuid:id>/found")
def token_found(id: UUID) -> ResponseReturnValue:
    actor = subscriber()
    try:
        services().replacement.found(actor, id)
    except CaError as error:
        return back(url_for(".certificate", id=id), error)
    flash(_("The hold is lifted; the certificate is valid again."), "done")
    return redirect(url_for(".certificate", id=id))


@blueprint.get("/certificates/<uuid:id>/replace")
def replace(id: UUID) -> ResponseReturnValue:
    return _replace_page(_found(subscriber(), id))


@blueprint.post("/certificates/<uuid:id>/replace")
@revocations(lambda: str(subscriber().id), when=lambda: reports_compromise(request.form))
def replace_submit(id: UUID) -> ResponseReturnValue:
    actor = subscriber()
    what = request.form.get("circumstance", "")
    if what not in set(Circumstance):
        return _replace_page(_found(actor, id), error=_("say what happened"), status=422)
    try:
        started = services().replacement.report(actor, id, circumstance=Circumstance(what))
    except CaError as error:
        return back(url_for(".certificate", id=id), error)
    flash(
        _("Your report is on record. This is the application for the new certificate: check it and submit it."), "done"
    )
    return redirect(url_for(".application", number=started.number))


def _replace_page(certificate: Certificate, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "portal/replace.html", certificate=certificate, error=error, chosen=request.args.get("circumstance", "")
    )
    return page, status


def _found(actor: Actor, id: UUID) -> Certificate:
    certificate = services().certificates.get(actor, id)
    if certificate.state not in LISTED:
        raise NotFound("there is no such certificate")
    return certificate
