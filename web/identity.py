"""Who is at the browser: the account behind the session, and what it may do now."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, g, request, session

from ca_core.domain.access import Actor, Permission
from ca_core.domain.account import Account
from ca_core.domain.errors import NotAuthenticated, NotPermitted
from ca_core.services.suite import Services
from web.sessions import DatabaseSession

FRESH_FOR = timedelta(minutes=15)
"""How long after the password was given decisions are taken without asking again."""


def source() -> str:
    """Where the request came from: behind a proxy the visitor's address only with ``server.trusted_proxies``."""
    return request.remote_addr or ""


def services() -> Services:
    found: Services = current_app.config["SERVICES"]
    return found


def account() -> Account | None:
    """The account logged in, read anew for each request: roles taken away are gone at once."""
    if "account" not in g:
        stored = g.get("web_session")
        g.account = services().accounts.session_account(stored) if stored else None
    found: Account | None = g.account
    return found


def actor() -> Actor:
    """The caller; NotAuthenticated when nobody is logged in."""
    found = account()
    if found is None:
        raise NotAuthenticated("log in first")
    if found.is_staff and found.totp_sealed is None:
        raise NotPermitted("set up your second factor first")
    return found.actor()


def may(permission: str) -> bool:
    """For templates: whether to show a button. The services decide all the same."""
    found = account()
    return found is not None and found.actor().may(Permission(permission))


def is_fresh() -> bool:
    """Whether the log-in is recent enough for a decision."""
    stored = g.get("web_session")
    return stored is not None and services().sessions.is_fresh(stored, within=FRESH_FOR)


def require_fresh(*, password: str = "", totp: str = "") -> None:
    """Ask for the password again when the log-in is too old for a decision; with the right one it is new again."""
    found = account()
    if password and found is not None:
        begin(services().accounts.log_in(email=found.email, password=password, totp=totp or None, source=source()))
    if not is_fresh():
        raise NotAuthenticated("give your password again before you decide")


def begin(found: Account) -> None:
    """Log in: a new session token, so that one planted before is worthless."""
    current = session._get_current_object() if hasattr(session, "_get_current_object") else session
    assert isinstance(current, DatabaseSession)
    language = current.get("language") or found.language
    current.stored, current.token = services().sessions.log_in(current.stored, found)
    current.clear()
    current["language"] = language
    g.web_session = current.stored
    g.account = found


def end() -> None:
    """Log out: the row is deleted, the cookie cleared."""
    current = session._get_current_object() if hasattr(session, "_get_current_object") else session
    assert isinstance(current, DatabaseSession)
    if current.stored is not None:
        services().sessions.end(current.stored)
    current.clear()
    current.ended = True
    g.pop("account", None)
