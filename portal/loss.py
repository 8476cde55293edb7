"""A lost token, reported with its code alone: no log-in stands between the loss and the hold."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.errors import InvalidInput, NotFound, Refused
from portal.blueprint import blueprint
from web.identity import services
from web.limits import REPORT
from web.status import status_of


@blueprint.get("/report-loss")
def report_loss() -> ResponseReturnValue:
    return render_template("portal/report_loss.html", code="", error="")


@blueprint.post("/report-loss")
@REPORT
def report_loss_submit() -> ResponseReturnValue:
    code = request.form.get("code", "").strip()[:100]
    if not code:
        return render_template("portal/report_loss.html", code="", error=_("type the code")), 422
    try:
        certificate = services().replacement.report_by_code(code)
    except (InvalidInput, NotFound, Refused) as error:
        return render_template("portal/report_loss.html", code=code, error=error.detail), status_of(error)
    return render_template("portal/loss_reported.html", certificate=certificate)
