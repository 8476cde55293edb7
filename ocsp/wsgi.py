"""OCSP over HTTP (RFC 6960 appendix A, RFC 9919 §6): a bare WSGI application, since it is asked most of all."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

import structlog
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType
from werkzeug.http import http_date
from werkzeug.wsgi import get_input_stream

from ca_core.x509.ocsp import MAX_REQUEST_SIZE, ResponseStatus
from ocsp.ready import ReadyAnswers
from ocsp.responder import REFUSALS, Responder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/ocsp"
REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"

_UNKEPT = [("content-type", RESPONSE_TYPE), ("cache-control", "no-store")]
_LINES = {200: "200 OK", 304: "304 Not Modified"}
_http_date = lru_cache(maxsize=4096)(http_date)

log = structlog.get_logger("ocsp")


Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""


class OcspApplication:
    """``POST /ocsp`` and ``GET /ocsp/<base64>``. What is understood as HTTP is answered 200 with an OCSPResponse, also
    when that is an error; only good and revoked answers to GET may be cached."""

    def __init__(self, responder: Responder, ready: ReadyAnswers | None = None) -> None:
        self._responder = responder
        self._ready = ready

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        seen = environ.get("HTTP_IF_NONE_MATCH")
        try:
            request = _request(environ, method)
            status, headers, body = self.at_once(request, method, seen) or self._made(request, method, seen)
        except HTTPException as refusal:
            return _refuse(refusal, start_response)
        length = [] if status == 304 else [("content-length", str(len(body)))]
        start_response(_LINES[status], [*headers, *length])
        return [] if method == "HEAD" else [body]

    def at_once(self, request: bytes, method: str, seen: str | None) -> Response | None:
        """The response of an answer that stands ready; None when there is none. It waits for nothing, so it may be
        asked on an event loop."""
        if self._ready is None or (found := self._ready.answer(request)) is None:
            return None
        if method == "POST":
            return 200, _UNKEPT, found.body
        return _kept(found.body, found.this_update, found.next_update, found.max_age, seen)

    def _made(self, request: bytes, method: str, seen: str | None) -> Response:
        try:
            answer = self._responder.answer(request)
        except Exception:  # a relying party gets an OCSP error, never a traceback
            log.exception("request failed")
            answer = REFUSALS[ResponseStatus.INTERNAL_ERROR]
        freshness = answer.freshness
        if freshness is None or method == "POST":
            return 200, _UNKEPT, answer.body
        times = int(freshness.this_update.timestamp()), int(freshness.next_update.timestamp())
        return _kept(answer.body, *times, freshness.max_age, seen)


def _kept(body: bytes, this_update: int, next_update: int, max_age: int, seen: str | None) -> Response:
    """An answer that caches may keep (RFC 9919 §6.2)."""
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = [
        ("content-type", RESPONSE_TYPE),
        ("cache-control", f"max-age={max_age}, public, no-transform, must-revalidate"),
        ("last-modified", _http_date(this_update)),
        ("expires", _http_date(next_update)),
        ("etag", tag),
    ]
    if seen is not None and tag in seen:
        return 304, headers[1:], b""
    return 200, headers, body


def _request(environ: WSGIEnvironment, method: str) -> bytes:
    """The DER that was sent; whatever is not base64 becomes empty, which is a malformed request too."""
    path: str = environ["PATH_INFO"].removeprefix(PREFIX).lstrip("/")
    if method in ("GET", "HEAD"):
        return request_in(environ["PATH_INFO"])
    if path:
        raise NotFound
    if method != "POST":
        raise MethodNotAllowed(valid_methods=("GET", "HEAD", "POST"))
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != REQUEST_TYPE:
        raise UnsupportedMediaType
    return get_input_stream(environ, max_content_length=MAX_REQUEST_SIZE).read()


def request_in(path: str) -> bytes:
    """RFC 6960 appendix A.1.1: base64 that was URL-encoded; whatever is none becomes empty.

    Clients and proxies encode twice, turn ``+`` into a space, drop the padding, and put one ``/`` too many before the
    request, which itself begins with ``M`` (a SEQUENCE). A proxy that folds ``//`` in the middle breaks the request."""
    text = path[len(PREFIX) :].lstrip("/")
    if "%" in text or " " in text:
        text = unquote(text).replace(" ", "+")
    text = text.rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def _refuse(refusal: HTTPException, start_response: StartResponse) -> Iterable[bytes]:
    body = f"{refusal.name}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if isinstance(refusal, MethodNotAllowed):
        headers.append(("Allow", ", ".join(refusal.valid_methods or ())))
    start_response(f"{refusal.code} {refusal.name}", headers)
    return [body]
