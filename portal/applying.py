"""A new application, and a change to the data of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.application import BEFORE_DECISION, Application
from ca_core.domain.errors import CaError, InvalidInput, ProfileViolation, StaleVersion
from ca_core.domain.profile import Pack, Profile
from ca_core.services.new_application import NewApplication
from portal.blueprint import blueprint
from portal.caller import subscriber
from portal.form import ApplicationForm, choices
from web.forms import back, seen_version, told
from web.identity import services
from web.status import status_of


@blueprint.get("/applications/new")
def choose_profile() -> ResponseReturnValue:
    profiles = sorted(services().intake.profiles(subscriber()), key=lambda profile: profile.key)
    groups = [
        (services().profiles.pack(pack), list(members)) for pack, members in groupby(profiles, lambda one: one.pack)
    ]
    return render_template("portal/choose_profile.html", groups=groups)


@blueprint.get("/applications/new/<pack>/<name>")
def apply(pack: str, name: str) -> ResponseReturnValue:
    """The empty form; ``?like=`` another application of one's own it starts with that one's data."""
    profile = services().intake.profile(subscriber(), f"{pack}/{name}")
    form = ApplicationForm(profile=profile, pack=services().profiles.pack(pack))
    if like := request.args.get("like"):
        earlier = services().intake.get(subscriber(), like).application
        form = ApplicationForm.of(earlier, profile, form.pack, {})
    return _new_page(form)


@blueprint.post("/applications/new/<pack>/<name>")
def apply_submit(pack: str, name: str) -> ResponseReturnValue:
    actor = subscriber()
    profile = services().intake.profile(actor, f"{pack}/{name}")
    form = ApplicationForm.typed(request.form, profile, services().profiles.pack(pack))
    try:
        made = services().intake.create(
            actor,
            NewApplication(
                profile=profile.key,
                subject=form.subject,
                san=form.san,
                identification=form.identification or None,
                centre=_centre(form.centre),
            ),
        )
    except (InvalidInput, ProfileViolation) as error:
        return _new_page(replace(form, faults=error.fields), error=error.detail, status=status_of(error))
    flash(_("The draft is saved. Send the documents, then submit it."), "done")
    return redirect(url_for(".application", number=made.number))


@blueprint.get("/applications/<number>/edit")
def edit(number: str) -> ResponseReturnValue:
    application = services().intake.get(subscriber(), number).application
    if application.state not in BEFORE_DECISION:
        flash(_("It is decided, so the data can be changed no more."), "error")
        return redirect(url_for(".application", number=number))
    return edit_page(application, {})


@blueprint.post("/applications/<number>/edit")
def edit_submit(number: str) -> ResponseReturnValue:
    actor, version = subscriber(), seen_version()
    application = services().intake.get(actor, number).application
    profile, pack = _pinned(application)
    form = ApplicationForm.typed(request.form, profile, pack)
    try:
        services().intake.update(
            actor,
            application.id,
            version=version,
            subject=form.subject,
            san=form.san,
            identification=form.identification or None,
        )
    except StaleVersion as error:
        now = ApplicationForm.of(application, profile, pack, {})
        return _edit_page(application, form, error=told(error), now=now, status=status_of(error))
    except (InvalidInput, ProfileViolation) as error:
        # The version that the form was made from stays in it: what others changed meanwhile is not overwritten.
        return _edit_page(
            replace(application, version=version),
            replace(form, faults=error.fields),
            error=error.detail,
            status=status_of(error),
        )
    except CaError as error:
        return back(url_for(".application", number=number), error)
    flash(_("The change is saved."), "done")
    return redirect(url_for(".application", number=number))


def edit_page(application: Application, faults: Mapping[str, str], *, status: int = 200) -> ResponseReturnValue:
    """The form with what is on record, and what is wrong with it."""
    profile, pack = _pinned(application)
    return _edit_page(application, ApplicationForm.of(application, profile, pack, faults), status=status)


def _edit_page(
    application: Application,
    form: ApplicationForm,
    *,
    error: str = "",
    now: ApplicationForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "portal/edit.html",
        application=application,
        form=form,
        error=error,
        differences=form.differences(now) if now else [],
    )
    return page, status


def _new_page(form: ApplicationForm, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    centres = choices(services().accounts.list_centres(subscriber()))
    return render_template("portal/apply.html", form=form, centres=centres, error=error), status


def _pinned(application: Application) -> tuple[Profile, Pack]:
    profile = services().profiles.pinned(application)
    return profile, services().profiles.pack(profile.pack)


def _centre(text: str) -> UUID | None:
    """None for nothing chosen, and for what is no choice: the service says so beside the field."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
