"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, jsonify
from flask_limiter import RateLimitExceeded
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from ca_core.domain import errors
from web.status import status_of


class Problem(BaseModel):
    """An error answer."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    """Stable; see docs/errors.md."""
    detail: str
    fields: dict[str, str] = {}
    """Which input is wrong, and why."""

    @classmethod
    def of(cls, error: errors.CaError) -> Problem:
        """What a caller is told of an error; a fault of the authority's own is not his business."""
        status = status_of(error)
        detail = error.detail if status != 500 else "the authority stopped this operation; its operators have been told"
        return cls.made(status, error.code, detail, error.fields)

    @classmethod
    def made(cls, status: int, code: str, detail: str, fields: Mapping[str, str] | None = None) -> Problem:
        return cls(title=code.replace("-", " "), status=status, code=code, detail=detail, fields=dict(fields or {}))


def response_of(problem: Problem) -> Response:
    """A problem document as a response; never cached."""
    response = jsonify(problem.model_dump())
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def of_error(error: errors.CaError) -> Response:
    response = response_of(Problem.of(error))
    if isinstance(error, errors.TryAgain):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def of_validation(error: ValidationError) -> Response:
    """The answer to a body, query or path that does not fit its model."""
    fields = {".".join(str(part) for part in one["loc"]) or "body": one["msg"] for one in error.errors()}
    return response_of(Problem.made(422, "invalid-input", "the request does not fit the API's schema", fields))


def of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code = (error.name or "error").lower().replace(" ", "-")
    response = response_of(Problem.made(status, code, error.description or error.name))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def of_limit(error: RateLimitExceeded) -> Response:
    return of_error(errors.RateLimited("too many requests; wait a minute", retry_after=60))


def register(app: Flask) -> None:
    """Turn every error into a problem document."""
    app.register_error_handler(errors.CaError, of_error)
    app.register_error_handler(RateLimitExceeded, of_limit)
    app.register_error_handler(HTTPException, of_http)
