"""One HTTP/1.1 connection: status that stands ready is answered as soon as its request is read, all else goes the long
way through :class:`~pechatnik.front.Front`."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ocsp.http import PREFIX as OCSP, REQUEST_TYPE
from pechatnik.front import Front

HEAD_SECONDS = 20.0
"""How long a request's head may take to arrive."""
IDLE_SECONDS = 75
"""How long a connection stays open between two requests: longer than nginx keeps one (60 seconds), or it would send a
request into a connection that is being closed."""
HEAD_SIZE = 64 * 1024
"""Octets of a request's head, and of what frames its body beyond the size of that body: chunk sizes and trailers."""

_GET_PATH, _POST_PATHS, _TYPE = f"{OCSP}/".encode(), (OCSP.encode(), f"{OCSP}/".encode()), REQUEST_TYPE.encode()
_CLOSE = b"connection: close\r\n"
_WITH_BODY = frozenset({b"content-length", b"transfer-encoding"})
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Stage(Enum):
    """How far the request is that is being read."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()
    """Of a status request: it mostly comes in the same packet, and is read here if it does."""
    ANSWERED = auto()
    HANDED_ON = auto()
    """To uvicorn, which runs the application."""


class Connection(HttpToolsProtocol):
    """What httptools reads, uvicorn hands to the application, but for status that stands ready.

    No request has a timer of its own: :meth:`sweep` looks at every connection now and then."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, Front)
        self._ready = config.app.ready
        self._stage = Stage.BETWEEN
        self._since = self.loop.time()
        self._count = 0
        """Requests that were begun."""
        self._framing = 0
        """Octets of the request that are no body, but for the packet with which it began."""
        self._bodied = 0
        """Octets of its body."""
        self._body = b""

    def sweep(self, now: float) -> None:
        """Close the connection when nothing came of it for too long; ``now`` by the loop's clock, in seconds."""
        if self._answering():
            return
        limit = {Stage.HEAD: HEAD_SECONDS, Stage.ANSWERED: HEAD_SECONDS, Stage.BETWEEN: IDLE_SECONDS}.get(self._stage)
        if limit is not None and now - self._since > limit:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        before, bodied = self._count, self._bodied
        super().data_received(data)
        if self._stage is Stage.BODY:  # the rest comes later, within the time and size that the front allows
            self._hand_on()
        elif self._stage is not Stage.BETWEEN and self._count == before:
            self._framing += len(data) - (self._bodied - bodied)
            if self._framing > HEAD_SIZE + self._bodied:
                if self._stage is Stage.HEAD:
                    self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._stage = Stage.HEAD
        self._since = self.loop.time()
        self._count += 1
        self._framing = self._bodied = 0
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are left out: the application takes what is among the headers for what a proxy has looked at.
        if self._stage is Stage.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stage = Stage.HANDED_ON
        if self.transport.is_closing():
            self._stage = Stage.ANSWERED
        elif self._ready is None or self._answering() or self.flow.write_paused:
            self._hand_on()
        elif self.url.startswith(_GET_PATH) and self.parser.get_method() == b"GET":
            if any(name in _WITH_BODY for name, _ in self.headers):  # which may never end: the front gives it a time
                self._hand_on()
            else:
                seen = self._header(b"if-none-match")
                self._answer(self._ready.get(self.url, seen=seen, more=self._more()))
        elif self.url in _POST_PATHS and self.parser.get_method() == b"POST" and self._header(b"content-type") == _TYPE:
            self._stage = Stage.BODY
            self._body = b""
        else:
            self._hand_on()

    def on_body(self, body: bytes) -> None:
        self._bodied += len(body)
        if self._stage is Stage.BODY:
            self._body += body
        elif self._stage is Stage.HANDED_ON:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._stage is Stage.BODY:
            assert self._ready is not None
            self._answer(self._ready.post(self._body, more=self._more()))
        if self._stage is Stage.HANDED_ON:
            super().on_message_complete()
        else:
            self._stage = Stage.BETWEEN
            self._since = self.loop.time()

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _header(self, name: bytes) -> bytes | None:
        return next((value for known, value in self.headers if known == name), None)

    def _more(self) -> bytes:
        """The headers that are the connection's."""
        lines = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])
        return lines if self._stays_open() else lines + _CLOSE

    def _stays_open(self) -> bool:
        return self.parser.get_http_version() != "1.0" and bool(self.parser.should_keep_alive())

    def _answer(self, response: bytes | None) -> None:
        if response is None:
            self._hand_on()
            return
        self._stage = Stage.ANSWERED
        self.transport.write(response)
        if not self._stays_open():
            self.transport.close()

    def _hand_on(self) -> None:
        """Have uvicorn begin with what has come of the request."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        begun, self._stage = self._stage, Stage.HANDED_ON
        super().on_headers_complete()
        if begun is Stage.BODY and self._body:
            super().on_body(self._body)
