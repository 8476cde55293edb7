"""The front of the server: reads a request whole before any thread is taken, and keeps threads apart by what they do.

WSGI reads bodies on the thread that answers, so a dozen clients that send a few octets and fall silent would hold every
thread for ever. Here bodies arrive on the event loop, within a time and a size; then status (OCSP, CRL, health), the
drawing of pages and everything else have threads of their own, so that none waits for another.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from api.issuing import Issuing
from ocsp.wsgi import PREFIX as OCSP, REQUEST_TYPE, Response, request_in

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STATUS = ("/ocsp", "/crl", "/aia", "/livez", "/readyz", "/version", "/metrics")
STATUS_THREADS = 4
STATUS_BODY = 64 * 1024
"""Octets; an OCSP request about hundreds of certificates fits."""
DRAWING_THREADS = 4
HELD_BODIES = 256 * 1024 * 1024
"""Octets of bodies in memory at once, of all requests together; beyond it clients are told to come again."""

GRACE = 2.0
"""Seconds in which requests that are being answered are answered, once the server is to end."""
LAST_WRITES = 0.5
"""Seconds for what was answered to reach its client; after that a connection that stays open ends nevertheless."""

log = structlog.get_logger("front")


class Refused(Exception):
    """The request is answered here, with this status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Front:
    """An RSGI application over a WSGI application."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        at_once: Callable[[bytes, str, str | None], Response | None],
        issuing: Issuing,
        threads: int,
        body_limit: int,
        body_seconds: float,
    ) -> None:
        """``at_once`` gives a status answer that stands ready (:meth:`ocsp.wsgi.OcspApplication.at_once`), and
        ``issuing`` certificates, on the event loop. ``body_limit`` in octets; a body that is not whole after
        ``body_seconds`` is given up."""
        self._application = application
        self._ready = at_once
        self._issuing = issuing
        self._body_limit = body_limit
        self._body_seconds = body_seconds
        self._held = 0
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._endings: set[asyncio.Task[None]] = set()
        self._status = ThreadPoolExecutor(STATUS_THREADS, thread_name_prefix="status")
        self._drawing = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="drawing")
        self._others = ThreadPoolExecutor(threads, thread_name_prefix="request")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGTERM, lambda: self._endings.add(loop.create_task(self._end())))

    async def _end(self) -> None:
        """End within a second or so. Granian by itself waits for every client that keeps a connection open, such as
        one that has sent half a header, until its process is killed with a warning."""
        signal.raise_signal(signal.SIGINT)  # granian's own end, which closes what is idle, is kept under this one
        await self._answered()
        await asyncio.sleep(LAST_WRITES)
        leave()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian has no connection any more. A client that hung up left its request behind, which may be signing."""
        loop.run_until_complete(self._answered())
        leave()

    async def _answered(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._idle.wait()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        path: str = scope.path
        if path.startswith(OCSP) and scope.method == "GET":
            request = request_in(path)
            answer = self._ready(request, "GET", scope.headers.get("if-none-match"))
            if answer is not None:
                protocol.response_bytes(*answer)
                return
        self._answering += 1
        self._idle.clear()
        try:
            await self._answer(scope, protocol)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def _answer(self, scope: Any, protocol: Any) -> None:
        path: str = scope.path
        body = bytearray()
        try:
            asked = self._issuing.asked(scope)
            issued = None if asked is None else await self._issuing.answer(asked)
            if issued is not None:
                protocol.response_bytes(*issued)
                return
            await self._read(scope, protocol, body)
            if path == OCSP and scope.method == "POST" and scope.headers.get("content-type") == REQUEST_TYPE:
                ready = self._ready(bytes(body), "POST", None)
                if ready is not None:
                    protocol.response_bytes(*ready)
                    return
            environ = environment(scope, bytes(body))
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads(scope.path), respond, self._application, environ)
        except Refused as refused:
            text = f"{refused.words}\n".encode()
            headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
            if refused.status == 503:
                headers.append(("retry-after", "5"))
            answer = (refused.status, headers, text)
        except Exception:  # the application answers its own errors; this is a fault of the program
            log.exception("request failed", path=scope.path)
            answer = (500, [("content-type", "text/plain")], b"the request failed; it is in the log\n")
        finally:
            self._held -= len(body)
        protocol.response_bytes(*answer)

    def _threads(self, path: str) -> ThreadPoolExecutor:
        if path.startswith(STATUS):
            return self._status
        return self._drawing if path.endswith(".png") or "/pages/" in path else self._others

    async def _read(self, scope: Any, protocol: Any, body: bytearray) -> None:
        declared = scope.headers.get("content-length")
        if declared is None and "transfer-encoding" not in scope.headers and scope.http_version == "1.1":
            return
        limit = STATUS_BODY if scope.path.startswith(STATUS) else self._body_limit
        if declared is not None and (not declared.isdigit() or int(declared) > limit):
            raise Refused(413, f"a body has at most {limit} octets here")
        try:
            async with asyncio.timeout(self._body_seconds):
                async for part in protocol:
                    self._held += len(part)
                    body += part
                    if len(body) > limit:
                        raise Refused(413, f"a body has at most {limit} octets here")
                    if self._held > HELD_BODIES:
                        raise Refused(503, "too much is coming in at once; try again")
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self._body_seconds:g} seconds") from None


def leave() -> None:
    """End this process without the interpreter's own end, in which a thread of granian that still wants to call
    Python is unwound through Rust and aborts with a panic."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def environment(scope: Any, body: bytes) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an RSGI request."""
    host, _, port = scope.server.rpartition(":")
    found: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if scope.authority is not None:  # HTTP/2 has no Host
        found["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        # One value of several: cookies by ";" (RFC 9113 §8.2.3), the others by "," (RFC 9110 §5.3).
        key = "HTTP_" + name.upper().replace("-", "_")
        found[key] = f"{found[key]}{';' if name == 'cookie' else ','}{value}" if key in found else value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if (value := found.pop(f"HTTP_{name}", None)) is not None:
            found[name] = value
    found["CONTENT_LENGTH"] = str(len(body))
    return found


def respond(application: WSGIApplication, environ: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Run the application to its end: status, headers, body."""
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
    status, headers = started[-1]
    return status, headers, b"".join(written)
