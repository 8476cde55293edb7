"""The front of the server: reads a request whole before any thread is taken, and keeps threads apart by what they do.

WSGI reads bodies on the thread that answers, so a dozen clients that send a few octets and fall silent would hold every
thread for ever. Here bodies arrive on the event loop, within a time and a size; then status (OCSP, CRL, health), time
stamps, the drawing of pages and everything else have threads of their own, so that none waits for another.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import structlog

from api.issuing import Issuing
from ocsp.http import ReadyResponses

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STAMPING = "/tsa"
STATUS = ("/ocsp", "/crl", "/aia", STAMPING, "/livez", "/readyz", "/version", "/metrics")
STATUS_THREADS = 4
STAMPING_THREADS = 32
"""Whoever waits for a token holds one; those who wait together share a transaction."""
STATUS_BODY = 64 * 1024
"""Octets; an OCSP request about hundreds of certificates fits."""
DRAWING_THREADS = 4
HELD_BODIES = 256 * 1024 * 1024
"""Octets of bodies in memory at once, of all requests together; beyond it clients are told to come again."""

Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

log = structlog.get_logger("front")


class Refused(Exception):
    """The request is answered here, with this status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Gone(Exception):
    """The client hung up before its request was whole."""


class Front:
    """An ASGI application over a WSGI application."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        ready: ReadyResponses | None,
        issuing: Issuing | None = None,
        threads: int,
        status_threads: int = STATUS_THREADS,
        body_limit: int,
        body_seconds: float,
    ) -> None:
        """``ready`` gives the status answers that stand ready; the connection asks it before the application is run.
        ``issuing`` gives certificates, many with one commit, where there are any. ``body_limit`` in octets; a body that
        is not whole after ``body_seconds`` is given up."""
        self.ready = ready
        self._application = application
        self._issuing = issuing
        self._body_limit = body_limit
        self._body_seconds = body_seconds
        self._held = 0
        self._status = ThreadPoolExecutor(status_threads, thread_name_prefix="status")
        self._stamping = ThreadPoolExecutor(STAMPING_THREADS, thread_name_prefix="stamping")
        self._drawing = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="drawing")
        self._others = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            status, headers, body = await self._answer(scope, receive)
        except Gone:
            return
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Response:
        path: str = scope["path"]
        body = bytearray()
        try:
            if self._issuing is not None and (asked := self._issuing.asked(scope)) is not None:
                issued = await self._issuing.answer(asked)
                if issued is not None:
                    return issued
            await self._read(scope, receive, body)
            environ = environment(scope, bytes(body))
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads(path), respond, self._application, environ)
        except Refused as refused:
            text = f"{refused.words}\n".encode()
            headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
            if refused.status == 503:
                headers.append(("retry-after", "5"))
            # What is still to come of the body is not waited for.
            return refused.status, [*headers, ("content-length", str(len(text))), ("connection", "close")], text
        except Gone:
            raise
        except Exception:  # the application answers its own errors; this is a fault of the program
            log.exception("request failed", path=path)
            text = b"the request failed; it is in the log\n"
            return 500, [("content-type", "text/plain"), ("content-length", str(len(text)))], text
        finally:
            self._held -= len(body)

    def _threads(self, path: str) -> ThreadPoolExecutor:
        if path.startswith(STAMPING):
            return self._stamping
        if path.startswith(STATUS):
            return self._status
        return self._drawing if path.endswith(".png") or "/pages/" in path else self._others

    async def _read(self, scope: Mapping[str, Any], receive: Receive, body: bytearray) -> None:
        sent = dict(scope["headers"])
        declared = sent.get(b"content-length")
        if declared is None and b"transfer-encoding" not in sent:
            return
        limit = STATUS_BODY if scope["path"].startswith(STATUS) else self._body_limit
        if declared is not None and int(declared) > limit:
            raise Refused(413, f"a body has at most {limit} octets here")
        try:
            async with asyncio.timeout(self._body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    part: bytes = message["body"]
                    more = message["more_body"]
                    self._held += len(part)
                    body += part
                    if len(body) > limit:
                        raise Refused(413, f"a body has at most {limit} octets here")
                    if self._held > HELD_BODIES:
                        raise Refused(503, "too much is coming in at once; try again")
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self._body_seconds:g} seconds") from None


def environment(scope: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI request."""
    host, port = scope["server"]
    found: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for field, sent in scope["headers"]:
        if b"_" in field:  # it would pass for the header that is written with "-", which proxies look at
            continue
        # One value of several: cookies by ";" (RFC 9113 §8.2.3), the others by "," (RFC 9110 §5.3).
        name, value = field.decode("latin-1"), sent.decode("latin-1")
        key = "HTTP_" + name.upper().replace("-", "_")
        found[key] = f"{found[key]}{';' if name == 'cookie' else ','}{value}" if key in found else value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if (value := found.pop(f"HTTP_{name}", None)) is not None:
            found[name] = value
    found["CONTENT_LENGTH"] = str(len(body))
    return found


def respond(application: WSGIApplication, environ: Mapping[str, Any]) -> Response:
    """Run the application to its end."""
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Callable[[bytes], object]:
        started.append((int(status.split(" ", 1)[0]), headers))
        return written.append

    written: list[bytes] = []
    parts = application(dict(environ), start_response)
    try:
        written.extend(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    (status, headers), body = started[-1], b"".join(written)
    has_body = environ["REQUEST_METHOD"] != "HEAD" and status not in (204, 304)
    if has_body and not any(name.lower() == "content-length" for name, _ in headers):
        headers = [*headers, ("content-length", str(len(body)))]
    return status, headers, body
