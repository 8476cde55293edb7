"""What the forms of both sites share: the version that they were made from, and how a refusal is told."""

from __future__ import annotations

from flask import flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ca_core.domain.errors import (
    CaError,
    ClaimedByAnother,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleVersion,
    WrongState,
)
from web.words import said


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
    flash(told(error), "error")
    return redirect(target)


def told(error: CaError) -> str:
    """The refusal in the language of the request."""
    match error:
        case StaleVersion():
            sentence = _(
                "Meanwhile something was changed here, so nothing was done. This is how it stands now; decide again."
            )
        case ClaimedByAnother():
            sentence = _(
                "You do not hold this application. Take it into review first; if somebody else holds it, wait."
            )
        case WrongState():
            sentence = _("Its state does not allow that any more, so nothing was done. This is how it stands now.")
        case _:
            sentence = said(error.detail)
    return str(sentence)
