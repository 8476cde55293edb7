"""The WSGI application of the REST API; its own Flask application, so that the other faces stay plain Flask."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Flask, Response, jsonify
from flask_openapi import Info, OpenAPI, SecurityScheme, Server

from api import (
    accounts,
    applications,
    authentication,
    batches,
    bodies,
    catalogue,
    certificates,
    documents,
    idempotency,
    mass_revocations,
    problems,
    records,
    status,
    validation,
)
from ca_core.services.suite import Services
from crl.office import CrlOffice
from ocsp.feed import StatusFeed
from web import hosts as names, limits

PREFIX = "/api/v1"
MAX_BODY = 1024 * 1024
"""Octets of a JSON body; uploads have their own limit."""

PROBLEM_CONTENT: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEM_STATUSES = {
    400: "malformed request",
    401: "no or wrong token",
    403: "not permitted",
    404: "no such object, or none that the caller may see",
    409: "the object is in another state",
    412: "the object changed since it was read",
    413: "body too large",
    415: "wrong content type",
    422: "invalid input, or refused",
    428: "If-Match is missing",
    429: "too many requests",
    503: "try again after Retry-After seconds",
}


def create_api(
    services: Services,
    *,
    crls: CrlOffice,
    feed: StatusFeed,
    version: str,
    max_upload: int,
    hosts: Collection[str] = (),
) -> Flask:
    """The API over these services. ``max_upload`` in octets; ``hosts`` are the names that it is served under."""
    app = OpenAPI(
        __name__,
        info=Info(title="Pechatnik", version=version, description="A certificate authority: the REST API."),
        servers=[Server(url="/")],
        security_schemes={"token": SecurityScheme(type="http", scheme="bearer")},
        validation_error_model=problems.Problem,
        validation_error_callback=problems.of_validation,
        doc_ui=False,
    )
    app.openapi_version = "3.1.0"
    app.config["MAX_CONTENT_LENGTH"] = max_upload + MAX_BODY
    app.config["SERVICES"] = services
    app.config["CRLS"] = crls
    app.config["FEED"] = feed
    problems.register(app)
    names.register(app, hosts)
    authentication.register(app, services.tokens)
    limits.register(app)  # knows the account by now
    bodies.register(app, max_json=MAX_BODY)
    idempotency.register(app, services.idempotency)
    for module in (
        applications,
        documents,
        certificates,
        batches,
        mass_revocations,
        catalogue,
        accounts,
        records,
        status,
        validation,
    ):
        app.register_api(module.blueprint)
    app.register_api(certificates.report)

    @app.get(f"{PREFIX}/openapi.json", doc_ui=False, endpoint=authentication.DESCRIPTION)
    def description() -> Response:
        return jsonify(_completed(app.api_doc))

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "the same request, sent again with the same key, gets the same answer and happens once",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY, "pattern": "^[ -~]+$"},
}


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The description with what holds for every operation: refusals, and the headers of conditions and repeats."""
    refusals = {
        str(status): {"description": text, "content": PROBLEM_CONTENT} for status, text in PROBLEM_STATUSES.items()
    }
    for path in document["paths"].values():
        for method, operation in path.items():
            operation["responses"] |= refusals
            for parameter in operation.get("parameters", ()):
                # Optional to the schema, so that its lack is answered with 428 and not with 422.
                parameter["required"] |= parameter["name"] == "If-Match"
            if method == "post" and operation.get("security"):
                operation["parameters"] = [*operation.get("parameters", ()), IDEMPOTENCY_KEY]
    return document
