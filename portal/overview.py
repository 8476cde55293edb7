"""The first page: what is going on, what is next, and what we told you."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ca_core.domain.access import Actor, Role
from ca_core.domain.account import Account
from ca_core.domain.application import OPEN, ApplicationState
from ca_core.domain.certificate import CertificateState
from ca_core.domain.errors import NotAuthenticated
from ca_core.services.notices import TEXTS
from portal.blueprint import blueprint
from portal.caller import subscriber
from web.identity import account, services
from web.language import chosen

SHOWN = 8
"""Of each kind on the first page."""
ENDS_SOON = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One notice, as people read it."""

    subject: str
    text: str
    at: datetime
    application: UUID | None


@blueprint.get("/")
def overview() -> ResponseReturnValue:
    me = account()
    if me is None:
        return render_template("portal/welcome.html")
    if Role.SUBSCRIBER not in me.roles:
        return redirect("/admin/")
    actor = subscriber()
    waiting = services().intake.list(actor, states=OPEN | {ApplicationState.ISSUED}, limit=SHOWN)
    certificates = services().certificates.list(
        actor, states=(CertificateState.ISSUED, CertificateState.HELD), limit=SHOWN
    )
    return render_template(
        "portal/overview.html",
        applications=waiting.items,
        certificates=certificates.items,
        notices=told(actor, me)[:SHOWN],
        soon=datetime.now(UTC) + ENDS_SOON,
    )


@blueprint.get("/notices")
def notices() -> ResponseReturnValue:
    actor, me = subscriber(), account()
    if me is None:
        raise NotAuthenticated("log in first")
    return render_template("portal/notices.html", notices=told(actor, me))


@blueprint.get("/applications/by-id/<uuid:id>")
def application_by_id(id: UUID) -> ResponseReturnValue:
    """Notices and certificates know the application by its id."""
    found = services().intake.get(subscriber(), id)
    return redirect(url_for("portal.application", number=found.application.number))


def told(actor: Actor, me: Account) -> Sequence[Told]:
    """The caller's notices, newest first, in the language of this request."""
    site = {"name": me.name, "installation": current_app.config["SITE"].name}
    written = []
    for notice in services().notices.of(actor):
        subject, text = TEXTS.render(notice.kind, chosen(), {**notice.context, **site})
        written.append(Told(subject=subject, text=text.strip(), at=notice.created_at, application=notice.application))
    return written
