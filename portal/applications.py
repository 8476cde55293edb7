"""My applications: the list, and the page of one with all that can be done now."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.access import Actor
from ca_core.domain.application import BEFORE_DECISION, OPEN, Application, ApplicationState
from ca_core.domain.errors import CaError, InvalidInput
from ca_core.services.application_view import ApplicationView
from portal.applying import edit_page
from portal.blueprint import blueprint
from portal.caller import PAGE, subscriber
from portal.form import ApplicationForm
from web.forms import back, seen_version
from web.identity import services
from web.status import status_of

TO_SUBMIT = frozenset({ApplicationState.DRAFT, ApplicationState.RETURNED})


@blueprint.get("/applications")
def applications() -> ResponseReturnValue:
    state, text = request.args.get("state", ""), request.args.get("text", "").strip()[:100]
    states = (state,) if state in set(ApplicationState) else ()
    page = services().intake.list(
        subscriber(), states=states, text=text, cursor=request.args.get("cursor") or None, limit=PAGE
    )
    return render_template("portal/applications.html", page=page, text=text, state=state, states=list(ApplicationState))


@blueprint.get("/applications/<number>")
def application(number: str) -> ResponseReturnValue:
    actor = subscriber()
    return application_page(actor, services().intake.get(actor, number))


def application_page(
    actor: Actor, view: ApplicationView, *, faults: Mapping[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    """The page of one application; ``faults`` by document kind are shown beside their documents."""
    application = view.application
    profile = services().profiles.pinned(application)
    pack = services().profiles.pack(profile.pack)
    prepared, problem = _preview(actor, application)
    page = render_template(
        "portal/application.html",
        application=application,
        view=view,
        form=ApplicationForm.of(application, profile, pack, {}),
        pack=pack,
        faults=faults or {},
        open=application.state in OPEN,
        changeable=application.state in BEFORE_DECISION,
        to_submit=application.state in TO_SUBMIT,
        prepared=prepared,
        problem=problem,
        wanting=[one for one in view.requirements if one.missing],
    )
    return page, status


def _preview(actor: Actor, application: Application) -> tuple[object, str]:
    """What would be signed, to be looked at before it is; or why it cannot be."""
    if application.state is not ApplicationState.REQUEST_RECEIVED:
        return None, ""
    try:
        return services().issuance.preview(actor, application.id), ""
    except CaError as error:
        return None, error.detail


@blueprint.post("/applications/<number>/submit")
def submit(number: str) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    view = services().intake.get(actor, number)
    try:
        services().intake.submit(actor, view.application.id, version=version)
    except InvalidInput as error:
        kinds = {one.kind for one in view.requirements}
        if error.fields and not error.fields.keys() & kinds:
            flash(_("Something is missing or wrong in the data. Correct it, then submit again."), "error")
            return edit_page(view.application, error.fields, status=status_of(error))
        return application_page(actor, view, faults=error.fields, status=status_of(error))
    except CaError as error:
        return back(url_for(".application", number=number), error)
    flash(_("Your application was submitted."), "done")
    return redirect(url_for(".application", number=number))


@blueprint.post("/applications/<number>/withdraw")
def withdraw(number: str) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    found = services().intake.get(actor, number).application
    try:
        services().intake.withdraw(actor, found.id, version=version)
    except CaError as error:
        return back(url_for(".application", number=number), error)
    flash(_("The application was withdrawn. You can make a new one at any time."), "done")
    return redirect(url_for(".application", number=number))
