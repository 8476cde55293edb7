"""Who uses the cabinet, and how a refusal is told: what happened, beside the state as it is now."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ca_core.domain.access import Actor, Role
from ca_core.domain.errors import CaError, InvalidInput, NotFound, NotPermitted, StaleVersion
from web import identity

PAGE = 20
"""Rows on a page of a list."""


def subscriber() -> Actor:
    """The caller as a subscriber alone: whoever is staff as well sees and does only his own things here."""
    actor = identity.actor()
    if Role.SUBSCRIBER not in actor.roles:
        raise NotPermitted("the cabinet is for subscribers; staff work at /admin/")
    return replace(actor, roles=frozenset({Role.SUBSCRIBER}), centres=frozenset())


def seen_version() -> int:
    """The row version that the form was made from."""
    try:
        return int(request.form.get("version", ""))
    except ValueError:
        raise InvalidInput("the form does not say what it was made from; load the page again") from None


def back(target: str, error: CaError) -> Response:
    """To the page that shows the present state, with what went wrong on top.

    What is not the caller's to see or do has no such page: the error goes on."""
    if isinstance(error, NotFound | NotPermitted):
        raise error
    flash(stale() if isinstance(error, StaleVersion) else _(error.detail), "error")
    return redirect(target)


def stale() -> str:
    return str(_("Meanwhile something was changed here, so nothing was done. This is how it stands now; decide again."))
