"""OCSP over HTTP (RFC 6960 appendix A, RFC 9919 §6): how a request stands in a path, which answers caches may keep, and
whole responses of answers that stand ready."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from functools import lru_cache
from urllib.parse import unquote

from werkzeug.http import http_date

from ocsp.ready import ReadyAnswers

PREFIX = "/ocsp"
REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"

Headers = list[tuple[str, str]]
UNKEPT: Headers = [("content-type", RESPONSE_TYPE), ("cache-control", "no-store")]

_http_date = lru_cache(maxsize=4096)(http_date)
_ESCAPES = (("%2F", "/"), ("%2B", "+"), ("%3D", "="))


def kept(body: bytes, *, this_update: int, next_update: int, max_age: int) -> Headers:
    """Headers of an answer that caches may keep (RFC 9919 §6.2). The times in seconds since 1970, ``max_age`` in
    seconds."""
    return [
        ("content-type", RESPONSE_TYPE),
        ("cache-control", f"max-age={max_age}, public, no-transform, must-revalidate"),
        ("last-modified", _http_date(this_update)),
        ("expires", _http_date(next_update)),
        ("etag", f'"{hashlib.sha256(body).hexdigest()}"'),
    ]


def request_in(path: str) -> bytes:
    """RFC 6960 appendix A.1.1: base64 that was URL-encoded; whatever is none becomes empty.

    Clients and proxies encode twice, turn ``+`` into a space, drop the padding, and put one ``/`` too many before the
    request, which itself begins with ``M`` (a SEQUENCE). A proxy that folds ``//`` in the middle breaks the request."""
    text = path[len(PREFIX) :].lstrip("/")
    if "%" in text:
        for written, meant in _ESCAPES:  # nothing else has to be escaped, and this is several times as fast
            text = text.replace(written, meant)
    if "%" in text or " " in text:
        text = unquote(unquote(text)).replace(" ", "+")
    text = text.rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


class ReadyResponses:
    """HTTP/1.1 responses of answers that stand ready, written out; None where there is none. They wait for nothing, so
    they may be asked for on an event loop.

    ``more`` are header lines that the connection adds, each with its end."""

    def __init__(self, ready: ReadyAnswers) -> None:
        self._ready = ready

    def get(self, path: bytes, *, seen: bytes | None, more: bytes) -> bytes | None:
        """``seen`` is If-None-Match."""
        found = self._ready.answer(request_in(path.decode("latin-1")))
        if found is None:
            return None
        body, this_update, next_update, max_age = found
        headers = kept(body, this_update=this_update, next_update=next_update, max_age=max_age)
        if seen is not None and headers[-1][1].encode() in seen:
            return _written(b"HTTP/1.1 304 Not Modified\r\n", headers[1:], more)
        return _written(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(body), headers, more) + body

    def post(self, request: bytes, *, more: bytes) -> bytes | None:
        """Nobody may keep what was posted for."""
        found = self._ready.answer(request)
        if found is None:
            return None
        return b"%b%d\r\n%b\r\n%b" % (_POSTED, len(found.body), more, found.body)


def _written(line: bytes, headers: Headers, more: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return b"%b%b%b\r\n" % (line, lines.encode(), more)


_POSTED = _written(b"HTTP/1.1 200 OK\r\n", UNKEPT, b"content-length: ")[:-2]
