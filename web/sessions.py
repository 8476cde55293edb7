"""Sessions in the database: the cookie holds a random token, nothing else, and can be ended from either side."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from ca_core.domain.account import WebSession
from ca_core.services.sessions import Sessions


class DatabaseSession(CallbackDict[str, Any], SessionMixin):
    """The session's data as Flask sees it, beside its stored row."""

    def __init__(self, stored: WebSession | None, token: str | None) -> None:
        def on_update(_self: object) -> None:
            self.modified = True
            self.accessed = True

        super().__init__(dict(stored.data) if stored else {}, on_update)
        self.stored = stored
        self.token = token
        self.new = stored is None
        self.modified = False
        self.ended = False


class DatabaseSessions(SessionInterface):
    """Loads by the cookie's token, saves only what changed."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def open_session(self, app: Flask, request: Request) -> DatabaseSession:
        token = request.cookies.get(self.get_cookie_name(app))
        stored = self._sessions.load(token) if token else None
        session = DatabaseSession(stored, token if stored else None)
        g.web_session = stored
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, DatabaseSession)
        if session.ended:
            response.delete_cookie(self.get_cookie_name(app), path="/")
            return
        if not session.modified:
            return
        if session.stored is None:
            session.stored, session.token = self._sessions.start()
        session.stored = self._sessions.save(session.stored, data=dict(session))
        assert session.token is not None
        response.set_cookie(
            self.get_cookie_name(app),
            session.token,
            httponly=True,
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
            path="/",
        )
        response.vary.add("Cookie")
