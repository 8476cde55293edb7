"""Documents: sent one at a time, replaced until the decision, looked at again."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.errors import CaError, DocumentRejected, InvalidInput, NotFound
from portal.applications import application_page
from portal.blueprint import blueprint
from portal.caller import subscriber
from web.forms import back
from web.identity import services
from web.limits import uploads
from web.status import status_of


@blueprint.post("/applications/<number>/documents/<kind>")
@uploads(lambda: str(subscriber().id))
def send_document(number: str, kind: str) -> ResponseReturnValue:
    actor = subscriber()
    view = services().intake.get(actor, number)
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return application_page(actor, view, faults={kind: _("choose a file first")}, status=422)
    try:
        services().documents.attach(
            actor, view.application.id, kind=kind, filename=upload.filename, data=upload.stream.read()
        )
    except (DocumentRejected, InvalidInput) as error:
        view = services().intake.get(actor, number)
        return application_page(actor, view, faults={kind: error.detail}, status=status_of(error))
    except CaError as error:
        return back(url_for(".application", number=number), error)
    flash(_("The document has arrived."), "done")
    return redirect(url_for(".application", number=number, _anchor=f"document-{kind}"))


@blueprint.get("/documents/<uuid:id>")
def document(id: UUID) -> ResponseReturnValue:
    actor = subscriber()
    found = services().documents.get(actor, id)
    view = services().intake.get(actor, found.application)
    label = next((one.label for one in view.requirements if one.kind == found.kind), {})
    return render_template(
        "portal/document.html", document=found, application=view.application, label=label, last=found.pages
    )


@blueprint.get("/documents/<uuid:id>/pages/<int:number>.png")
def document_page(id: UUID, number: int) -> ResponseReturnValue:
    if number < 1:
        raise NotFound("the document has no such page")
    return Response(services().documents.page(subscriber(), id, number), mimetype="image/png")
