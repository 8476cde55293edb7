"""Rate limits on everything that guesses or floods: by source address, uploads by account."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask
from flask_limiter import Limiter, RouteLimit
from flask_limiter.util import get_remote_address

from ca_core.services.replacement_reason import Circumstance

limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)
"""Counts per process; a reverse proxy's limit comes on top (docs/operations.md)."""

LOGIN = "10 per minute; 60 per hour"
REGISTER = "5 per minute; 20 per hour"
REPORT = limiter.shared_limit("5 per minute; 20 per hour", scope="loss-report")
"""One count for the page and the API: a report code is guessed through neither."""


def uploads(account: Callable[[], str]) -> RouteLimit:
    """Each upload costs time in a sandbox, whatever becomes of it; one count for the cabinet and the API."""
    return limiter.shared_limit("60 per minute; 600 per hour", scope="uploads", key_func=account)


def revocations(account: Callable[[], str], *, when: Callable[[], bool] = lambda: True) -> RouteLimit:
    """Nobody revokes for good in bulk on a site or through the API, whatever was stolen from him; holds go on.

    ``when`` tells whether the request revokes, where not every one does."""
    return limiter.shared_limit("30 per hour", scope="revocations", key_func=account, exempt_when=lambda: not when())


def reports_compromise(form: Mapping[str, object]) -> bool:
    """Whether the report of a lost, broken or compromised token revokes its certificate."""
    return form.get("circumstance") == Circumstance.COMPROMISED


def verdicts(account: Callable[[], str]) -> RouteLimit:
    """Each may take the time and the fetches that the configuration gives to one."""
    return limiter.shared_limit("300 per minute", scope="verdicts", key_func=account)


def letters(account: Callable[[], str]) -> RouteLimit:
    """Letters to addresses that nobody has confirmed."""
    return limiter.shared_limit("5 per hour", scope="letters", key_func=account)


def register(app: Flask) -> None:
    limiter.init_app(app)
