"""Errors as pages: one sentence, what to do next, the right status, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ca_core.domain import errors
from web.hosts import REFUSAL
from web.status import status_of

log = structlog.get_logger()


def register(app: Flask) -> None:
    @app.errorhandler(errors.CaError)
    def refused(error: errors.CaError) -> ResponseReturnValue:
        if isinstance(error, errors.NotAuthenticated) and request.method == "GET":
            return redirect(url_for("login.log_in", next=request.full_path))
        status = status_of(error)
        if status == 500:
            log.error("integrity", error=error.code)
        answer = page(status, error.detail if status != 500 else "", fields=error.fields)
        return (*answer, {"Retry-After": str(error.retry_after)}) if isinstance(error, errors.TryAgain) else answer

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        # The framework's other descriptions are English alone and say less than the page itself.
        ours = isinstance(error, CSRFError) or error.description == REFUSAL
        return page(error.code or 500, (error.description or "") if ours else "")

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.exception("unexpected", error=type(error).__name__)
        return page(500, "")


def page(status: int, detail: str, *, fields: Mapping[str, str] | None = None) -> tuple[str, int]:
    return render_template("error.html", status=status, detail=detail, fields=fields or {}), status
