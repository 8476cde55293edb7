"""Whoever is logged in has a session in the database; the cookie holds its random token, nothing else, and it can be
ended from either side. Whoever is not has a signed cookie, so that no stranger makes the database write."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, Response, g, session as present
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import CallbackDict

from ca_core.domain.account import WebSession
from ca_core.domain.errors import CaError
from ca_core.services.sessions import Sessions


class DatabaseSession(CallbackDict[str, Any], SessionMixin):
    """The session's data as Flask sees it, beside its stored row; without one it is a visitor's."""

    def __init__(self, data: Mapping[str, Any], stored: WebSession | None = None, token: str | None = None) -> None:
        def on_update(_self: object) -> None:
            self.modified = True
            self.accessed = True

        super().__init__(dict(data), on_update)
        self.stored = stored
        self.token = token
        self.new = stored is None
        self.modified = False
        self.ended = False
        self.failure: CaError | None = None
        """Why it could not be loaded or saved. The cookie stays as it is then: nobody is logged out by a fault."""


class DatabaseSessions(SessionInterface):
    """Loads by the cookie's token, saves only what changed."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def open_session(self, app: Flask, request: Request) -> DatabaseSession:
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        try:
            session = DatabaseSession(_visitors(app).loads(cookie))
        except BadData:
            session = self._by_token(cookie)
        g.web_session = session.stored
        return session

    def _by_token(self, token: str) -> DatabaseSession:
        try:
            stored = self._sessions.load(token) if token else None
        except CaError as error:
            session = DatabaseSession({})
            session.failure = error
            return session
        return DatabaseSession(stored.data, stored, token) if stored else DatabaseSession({})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, DatabaseSession)
        if session.failure is not None:
            return
        if session.ended:
            response.delete_cookie(self.get_cookie_name(app), path="/")
            return
        if not session.modified:
            return
        if session.stored is None:
            value = str(_visitors(app).dumps(dict(session)))
        else:
            try:
                session.stored = self._sessions.save(session.stored, data=dict(session))
            except CaError as error:
                session.failure = error
                raise
            assert session.token is not None
            value = session.token
        response.set_cookie(
            self.get_cookie_name(app),
            value,
            httponly=True,
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
            path="/",
        )
        response.vary.add("Cookie")


def register(app: Flask, sessions: Sessions) -> None:
    app.session_interface = DatabaseSessions(sessions)

    @app.before_request
    def told() -> None:
        # Flask opens the session before any error handler is at work.
        assert isinstance(present, DatabaseSession)
        if present.failure is not None:
            raise present.failure


def _visitors(app: Flask) -> URLSafeSerializer:
    assert app.secret_key is not None
    return URLSafeSerializer(
        app.secret_key, salt="visitor", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )
