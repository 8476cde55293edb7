"""The key step: the certification request comes in, the certificate is issued and accepted."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.application import Application, ApplicationState
from ca_core.domain.errors import CaError, InvalidInput, Refused
from portal.blueprint import blueprint
from portal.caller import subscriber
from web.forms import back, seen_version
from web.identity import services
from web.status import status_of

A = KeyAlgorithm
IN_BROWSER = {
    A.EC_P256: "ECDSA P-256",
    A.EC_P384: "ECDSA P-384",
    A.RSA_3072: "RSA 3072",
    A.RSA_2048: "RSA 2048",
    A.RSA_4096: "RSA 4096",
}
"""What the page's script can make, the best choice first."""
LARGEST_REQUEST = 64 * 1024
"""Octets; a request with a 4096-bit key has about 2,000."""
TAKES_REQUEST = frozenset({ApplicationState.AWAITING_KEY, ApplicationState.REQUEST_RECEIVED})


@blueprint.get("/applications/<number>/key")
def key(number: str) -> ResponseReturnValue:
    application = services().intake.get(subscriber(), number).application
    if application.state not in TAKES_REQUEST:
        return redirect(url_for(".application", number=number))
    return _key_page(application)


@blueprint.post("/applications/<number>/request")
def send_request(number: str) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    application = services().intake.get(actor, number).application
    typed = request.form.get("request", "")
    upload = request.files.get("file")
    data = upload.stream.read(LARGEST_REQUEST + 1) if upload and upload.filename else typed.strip().encode()
    if not data or len(data) > LARGEST_REQUEST:
        error = _("paste the request or choose its file; it has at most 64 KiB")
        return _key_page(application, typed=typed, error=error, status=422)
    try:
        services().requests.receive(actor, application.id, data, version=version)
    except (InvalidInput, Refused) as fault:
        return _key_page(application, typed=typed, error=fault.detail, status=status_of(fault))
    except CaError as fault:
        return back(url_for(".application", number=number), fault)
    flash(_("Your request has arrived. Check what will be in the certificate, then have it issued."), "done")
    return redirect(url_for(".application", number=number))


def _key_page(application: Application, *, typed: str = "", error: str = "", status: int = 200) -> ResponseReturnValue:
    profile = services().profiles.pinned(application)
    page = render_template(
        "portal/key.html",
        application=application,
        algorithms=[(one.value, label) for one, label in IN_BROWSER.items() if one in profile.algorithms],
        allowed=sorted(one.value for one in profile.algorithms),
        typed=typed,
        error=error,
    )
    return page, status


@blueprint.post("/applications/<number>/issue")
def issue(number: str) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    application = services().intake.get(actor, number).application
    try:
        certificate = services().issuance.issue(actor, application.id, version=version)
    except CaError as error:
        return back(url_for(".application", number=number), error)
    return redirect(url_for(".certificate", id=certificate.id))


@blueprint.post("/applications/<number>/accept")
def accept(number: str) -> ResponseReturnValue:
    """The report code is on this answer alone; there is no page to come back to for it."""
    actor, version = subscriber(), seen_version()
    application = services().intake.get(actor, number).application
    try:
        accepted, code = services().acceptance.accept(actor, application.id, version=version)
    except CaError as error:
        return back(url_for(".application", number=number), error)
    assert accepted.certificate is not None
    certificate = services().certificates.get(actor, accepted.certificate)
    return render_template("portal/report_code.html", application=accepted, certificate=certificate, code=code)
