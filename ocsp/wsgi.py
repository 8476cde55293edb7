"""OCSP over HTTP, the long way: a bare WSGI application that has each answer made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import structlog
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType
from werkzeug.wsgi import get_input_stream

from ca_core.x509.ocsp import MAX_REQUEST_SIZE, ResponseStatus
from ocsp.http import PREFIX, REQUEST_TYPE, UNKEPT, Headers, kept, request_in
from ocsp.responder import REFUSALS, Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger("ocsp")


class Answers(Protocol):
    """Who makes answers: :class:`~ocsp.responder.Responder`, or a status node's way to it."""

    def answer(self, request: bytes) -> Answer: ...


class OcspApplication:
    """``POST /ocsp`` and ``GET /ocsp/<base64>``. What is understood as HTTP is answered 200 with an OCSPResponse, also
    when that is an error; only good and revoked answers to GET may be cached."""

    def __init__(self, responder: Answers) -> None:
        self._responder = responder

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        try:
            request = _request(environ, method)
        except HTTPException as refusal:
            return refuse(refusal, start_response)
        answer = self._answer(request)
        headers = _headers(answer, method)
        seen = environ.get("HTTP_IF_NONE_MATCH")
        if seen is not None and answer.freshness is not None and (tag := dict(headers).get("etag")) and tag in seen:
            start_response("304 Not Modified", headers[1:])
            return []
        start_response("200 OK", [*headers, ("content-length", str(len(answer.body)))])
        return [] if method == "HEAD" else [answer.body]

    def _answer(self, request: bytes) -> Answer:
        try:
            return self._responder.answer(request)
        except Exception:  # a relying party gets an OCSP error, never a traceback
            log.exception("request failed")
            return REFUSALS[ResponseStatus.INTERNAL_ERROR]


def _headers(answer: Answer, method: str) -> Headers:
    freshness = answer.freshness
    if freshness is None or method == "POST":
        return UNKEPT
    return kept(
        answer.body,
        this_update=int(freshness.this_update.timestamp()),
        next_update=int(freshness.next_update.timestamp()),
        max_age=freshness.max_age,
    )


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


def refuse(refusal: HTTPException, start_response: StartResponse, *more: tuple[str, str]) -> Iterable[bytes]:
    """Answer in plain text that nobody keeps, with ``more`` headers."""
    body = f"{refusal.name}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *more,
    ]
    if isinstance(refusal, MethodNotAllowed):
        headers.append(("Allow", ", ".join(refusal.valid_methods or ())))
    start_response(f"{refusal.code} {refusal.name}", headers)
    return [body]
