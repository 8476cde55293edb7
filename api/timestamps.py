"""Time stamps over HTTP (RFC 3161 §3.4): a bare WSGI application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from werkzeug.wsgi import get_input_stream

from api.authentication import token_in
from ca_core.domain.access import SYSTEM_ACTOR, Actor
from ca_core.domain.errors import CaError, NotAuthenticated, NotPermitted, TimestampRefused
from ca_core.services.timestamping import Timestamping
from ca_core.services.tokens import Tokens
from ca_core.x509.timestamp import MAX_REQUEST_SIZE, TimestampRequest, granted, rejection
from ocsp.wsgi import refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/tsa"
REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"

log = structlog.get_logger("timestamps")


class TimestampApplication:
    """``POST /tsa``. What is understood as HTTP is answered 200 with a TimeStampResp, also when that is a refusal."""

    def __init__(self, timestamping: Timestamping, tokens: Tokens | None, *, per_minute: int) -> None:
        """With ``tokens`` every request needs an API token; ``per_minute`` is for one source address, 0 without end."""
        self._timestamping = timestamping
        self._tokens = tokens
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = self._request(environ)
            body = self._answer(self._caller(environ), request)
        except Unauthorized as refusal:
            return refuse(refusal, start_response, ("WWW-Authenticate", "Bearer"))
        except TooManyRequests as refusal:
            return refuse(refusal, start_response, ("Retry-After", "60"))
        except HTTPException as refusal:
            return refuse(refusal, start_response)
        headers = [
            ("Content-Type", RESPONSE_TYPE),
            ("Cache-Control", "no-store"),
            ("Content-Length", str(len(body))),
        ]
        start_response("200 OK", headers)
        return [body]

    def _request(self, environ: WSGIEnvironment) -> bytes:
        if environ["PATH_INFO"] not in (PATH, f"{PATH}/"):
            raise NotFound
        if environ["REQUEST_METHOD"] != "POST":
            raise MethodNotAllowed(valid_methods=("POST",))
        if self._limit is not None and not self._limiter.hit(self._limit, environ.get("REMOTE_ADDR", "")):
            raise TooManyRequests
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != REQUEST_TYPE:
            raise UnsupportedMediaType
        return get_input_stream(environ, max_content_length=MAX_REQUEST_SIZE).read()

    def _caller(self, environ: WSGIEnvironment) -> Actor:
        if self._tokens is None:
            return SYSTEM_ACTOR
        token = token_in(environ.get("HTTP_AUTHORIZATION", ""))
        if token is None:
            raise Unauthorized
        try:
            return self._tokens.authenticate(token)
        except NotAuthenticated:
            raise Unauthorized from None

    def _answer(self, caller: Actor, request: bytes) -> bytes:
        try:
            return granted(self._timestamping.stamp(caller, TimestampRequest.parse(request)))
        except TimestampRefused as refused:
            return rejection(refused)
        except NotPermitted:
            raise Forbidden from None
        except CaError as trouble:
            log.warning("cannot stamp", error=trouble.code, detail=trouble.detail)
        except Exception:  # a client gets an answer of the protocol, never a traceback
            log.exception("request failed")
        return rejection(TimestampRefused("no token can be made now; try again later"))
