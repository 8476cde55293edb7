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


def register(app: Flask, tokens: Tokens) -> None:
    @app.before_request
    def authenticate() -> None:
        if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS:
            return
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise NotAuthenticated("send an API token: Authorization: Bearer TOKEN")
        g.actor = tokens.authenticate(value.strip())
