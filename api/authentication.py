"""Bearer tokens: every path but the description of the API itself asks for one."""

from __future__ import annotations

from flask import Flask, g, request

from ca_core.domain.access import Actor
from ca_core.domain.errors import NotAuthenticated
from ca_core.services.tokens import Tokens

DESCRIPTION = "description"
OPEN_ENDPOINTS = frozenset({DESCRIPTION, "report.report_loss"})
"""The OpenAPI document, and the report of a lost token by its code."""


def caller() -> Actor:
    """Who makes this request."""
    actor: Actor = g.actor
    return actor


def token_in(authorization: str) -> str | None:
    """The bearer token of the header Authorization (RFC 6750 §2.1); None when it has none."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value else None


def register(app: Flask, tokens: Tokens) -> None:
    @app.before_request
    def authenticate() -> None:
        if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS:
            return
        token = token_in(request.headers.get("Authorization", ""))
        if token is None:
            raise NotAuthenticated("send an API token: Authorization: Bearer TOKEN")
        g.actor = tokens.authenticate(token)
