"""OCSP over HTTP (RFC 6960 appendix A, RFC 9919 §6): a bare WSGI application, since it is asked most of all."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import structlog
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType
from werkzeug.http import http_date
from werkzeug.wsgi import get_input_stream

from ca_core.x509.ocsp import MAX_REQUEST_SIZE, ResponseStatus
from ocsp.responder import REFUSALS, Answer, Responder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/ocsp"
REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"

log = structlog.get_logger("ocsp")


class OcspApplication:
    """``POST /ocsp`` and ``GET /ocsp/<base64>``. What is understood as HTTP is answered 200 with an OCSPResponse, also
    when that is an error; only good and revoked answers to GET may be cached."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        try:
            answer = self._responder.answer(_request(environ, method))
        except HTTPException as refusal:
            return _refuse(refusal, start_response)
        except Exception:  # a relying party gets an OCSP error, never a traceback
            log.exception("request failed")
            answer = REFUSALS[ResponseStatus.INTERNAL_ERROR]
        headers = [("Content-Type", RESPONSE_TYPE), ("Content-Length", str(len(answer.body)))]
        start_response("200 OK", headers + _caching(answer, method))
        return [] if method == "HEAD" else [answer.body]


def _request(environ: WSGIEnvironment, method: str) -> bytes:
    """The DER that was sent; whatever is not base64 becomes empty, which is a malformed request too."""
    path: str = environ["PATH_INFO"].removeprefix(PREFIX).lstrip("/")
    if method in ("GET", "HEAD"):
        return _from_path(path)
    if path:
        raise NotFound
    if method != "POST":
        raise MethodNotAllowed(valid_methods=("GET", "HEAD", "POST"))
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != REQUEST_TYPE:
        raise UnsupportedMediaType
    return get_input_stream(environ, max_content_length=MAX_REQUEST_SIZE).read()


def _from_path(path: str) -> bytes:
    """RFC 6960 appendix A.1.1: base64 that was URL-encoded.

    Clients and proxies encode twice, turn ``+`` into a space, drop the padding, and put one ``/`` too many before the
    request, which itself begins with ``M`` (a SEQUENCE). A proxy that folds ``//`` in the middle breaks the request."""
    text = unquote(path).replace(" ", "+").rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def _caching(answer: Answer, method: str) -> list[tuple[str, str]]:
    freshness = answer.freshness
    if freshness is None or method == "POST":
        return [("Cache-Control", "no-store")]
    return [
        ("Cache-Control", f"max-age={freshness.max_age}, public, no-transform, must-revalidate"),
        ("Last-Modified", http_date(freshness.this_update)),
        ("Expires", http_date(freshness.next_update)),
        ("ETag", f'"{hashlib.sha256(answer.body).hexdigest()}"'),
    ]


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
