"""The Flask application that both sites register themselves on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask, Response
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException

from ca_core.domain.errors import CaError
from ca_core.domain.profile import Environment
from ca_core.services.suite import Services
from web import address, errors, headers, hosts, language, limits, login, sessions, words

MAX_FORM = 1024 * 1024
"""Octets of form fields beside an upload."""


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """What the sites need to know of the installation."""

    name: str
    environment: Environment
    cookies_over_tls_only: bool
    max_upload: int
    """Octets."""
    csrf_key: bytes
    """Secret from which form tokens are made; the same in every process."""
    hosts: Collection[str] = ()
    """Names under which the site is served beside this machine's own (:func:`web.hosts.names`)."""


class Site(Flask):
    """Flask saves the session after the error handlers had their turn; what goes wrong there is told all the same."""

    def finalize_request(self, rv: ResponseReturnValue | HTTPException, from_error_handler: bool = False) -> Response:
        try:
            return super().finalize_request(rv, from_error_handler)
        except CaError as error:
            return super().finalize_request(self.handle_user_exception(error), from_error_handler=True)


def create_site(services: Services, settings: SiteSettings) -> Flask:
    """A site with everything but pages: those come from ``portal.register`` and ``admin.register``."""
    app = Site(__name__, template_folder="templates", static_folder="static", static_url_path="/static")
    app.config.update(
        SECRET_KEY=settings.csrf_key,
        SERVICES=services,
        SITE=settings,
        MAX_CONTENT_LENGTH=settings.max_upload + MAX_FORM,
        SESSION_COOKIE_NAME="pechatnik",
        SESSION_COOKIE_SECURE=settings.cookies_over_tls_only,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=int(timedelta(hours=8).total_seconds()),
        WTF_CSRF_SSL_STRICT=settings.cookies_over_tls_only,
    )
    hosts.register(app, settings.hosts)
    sessions.register(app, services.sessions)
    language.register(app)  # before Flask-Admin, whose pages fail while Babel is installed but not set up
    words.register(app)
    CSRFProtect(app)
    limits.register(app)
    headers.register(app)
    errors.register(app)
    app.register_blueprint(login.blueprint)
    app.register_blueprint(address.blueprint)
    return app
