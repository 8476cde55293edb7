"""The server's own part of HTTP: what is answered at once, what is handed on, who is kept waiting and who is not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from pechatnik import connection, server
from pechatnik.connection import Connection
from pechatnik.front import Front
from pechatnik.server import configuration

GET = b"GET /ocsp/MFEw HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: 4\r\n\r\nMFEw"
OTHER = b"GET /ocsp/none HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Ready:
    """Knows one answer, under one name."""

    asked: list[bytes] = field(default_factory=list)

    def get(self, path: bytes, *, seen: bytes | None, more: bytes) -> bytes | None:
        self.asked.append(path)
        return self._response(more) if path == b"/ocsp/MFEw" else None

    def post(self, request: bytes, *, more: bytes) -> bytes | None:
        self.asked.append(request)
        return self._response(more) if request == b"MFEw" else None

    def _response(self, more: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n" + more + b"\r\nready"


def long_way(environ: Any, start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [b"long:" + environ["PATH_INFO"].encode("latin-1") + b":" + body]


async def turns() -> None:
    """Let the server, which runs on the same loop, read what was sent, and answer what it answers at once."""
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class Served:
    """A server on this loop."""

    ready: Ready
    server: uvicorn.Server
    port: int

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, *parts: bytes) -> bytes:
        """What comes back until the server closes; between two parts it gets to read."""
        reader, writer = await self.open()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await turns()
        return await reader.read()

    @property
    def connection(self) -> Connection:
        (found,) = self.server.server_state.connections
        assert isinstance(found, Connection)
        return found


def serving(
    test: Callable[[Served], Awaitable[None]], application: Any = long_way, *, body_seconds: float = 60
) -> None:
    """Run a test against a server that ends after it."""

    async def run() -> None:
        ready = Ready()
        issuing: Any = SimpleNamespace(asked=lambda scope: None)
        front = Front(
            application,  # type: ignore[arg-type]
            ready=ready,
            issuing=issuing,
            threads=1,
            body_limit=100,
            body_seconds=body_seconds,
        )
        server = uvicorn.Server(configuration(front))
        server.config.host, server.config.port = "127.0.0.1", 0
        ending = asyncio.create_task(server.serve())
        while not (server.started and server.server_state.default_headers):
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            await test(Served(ready, server, port))
        finally:
            server.should_exit = True
            await ending

    asyncio.run(run())


def responses(said: bytes) -> list[bytes]:
    """Bodies, in order."""
    return [one.partition(b"\r\n\r\n")[2] for one in said.split(b"HTTP/1.1 ")[1:]]


def test_status_that_stands_ready_is_answered_and_the_rest_handed_on() -> None:
    async def test(served: Served) -> None:
        last = (
            one.replace(b"Host: x", b"Host: x\r\nConnection: close") for one in (OTHER, POST.replace(b"MFEw", b"MMMM"))
        )
        assert responses(await served.say(GET, POST, next(last))) == [b"ready", b"ready", b"long:/ocsp/none:"]
        assert responses(await served.say(next(last))) == [b"long:/ocsp:MMMM"]
        assert served.ready.asked == [b"/ocsp/MFEw", b"MFEw", b"/ocsp/none", b"MMMM"]

    serving(test)


def test_requests_in_one_packet_are_answered_in_their_order() -> None:
    async def test(served: Served) -> None:
        last = GET.replace(b"Host: x", b"Host: x\r\nConnection: close")
        got = responses(await served.say(GET + POST + OTHER + GET + POST + last))
        # Behind one that is being worked on the others wait, and are worked on in their turn.
        waited = [b"long:/ocsp/none:", b"long:/ocsp/MFEw:", b"long:/ocsp:MFEw", b"long:/ocsp/MFEw:"]
        assert got == [b"ready", b"ready", *waited]

    serving(test)


def test_a_request_may_come_in_two_packets() -> None:
    async def test(served: Served) -> None:
        last = POST.replace(b"Host: x", b"Host: x\r\nConnection: close")
        for cut in range(1, len(last)):
            (said,) = responses(await served.say(last[:cut], last[cut:]))
            # A body that is not there with its head is waited for elsewhere.
            assert said == (b"ready" if cut < len(last) - 4 else b"long:/ocsp:MFEw"), cut

    serving(test)


@pytest.mark.parametrize(
    ("request_", "closes"),
    [
        (GET, False),
        (GET.replace(b"Host: x", b"Host: x\r\nConnection: close"), True),
        (GET.replace(b"1.1", b"1.0"), True),
        (POST.replace(b"Host: x", b"Host: x\r\nConnection: close"), True),
    ],
)
def test_who_wants_the_connection_closed_is_told_and_served(request_: bytes, closes: bool) -> None:
    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(request_)
        said = await (reader.read() if closes else reader.readuntil(b"ready"))
        assert said.endswith(b"ready")
        assert (b"connection: close" in said) is closes
        assert b"date: " in said
        writer.close()

    serving(test)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"", connection.IDLE_SECONDS),
        (GET, connection.IDLE_SECONDS),
        (POST, connection.IDLE_SECONDS),
        (b"GET /ocsp/MFEw HTTP/1.1\r\nHost: x\r\n", connection.HEAD_SECONDS),
        (GET + b"P", connection.HEAD_SECONDS),
    ],
    ids=["nothing", "between two requests", "after a body", "half a head", "an octet of the next"],
)
def test_who_falls_silent_is_let_go(sent: bytes, seconds: float) -> None:
    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(sent)
        await writer.drain()
        if b"\r\n\r\n" in sent:
            await reader.readuntil(b"ready")
        while not served.server.server_state.connections:
            await asyncio.sleep(0)
        await turns()
        now = asyncio.get_running_loop().time()
        served.connection.sweep(now + seconds - 1)
        assert not served.connection.transport.is_closing()
        served.connection.sweep(now + seconds + 1)
        assert await reader.read() == b""
        writer.close()

    serving(test)


def test_a_request_that_is_worked_on_is_not_swept_away() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> Iterable[bytes]:
        begun.set()
        may_end.wait()
        start_response("200 OK", [])
        return [b"done"]

    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(OTHER + b"GET / HT")
        await asyncio.to_thread(begun.wait)
        served.connection.sweep(asyncio.get_running_loop().time() + 1000)
        may_end.set()
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        writer.close()

    serving(test, slow)


def test_a_head_without_end_is_refused() -> None:
    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(b"GET /ocsp/MFEw HTTP/1.1\r\nX: ")
        for _ in range(66):
            await turns()
            writer.write(b"x" * 1024)
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
        writer.close()

    serving(test)


def test_a_client_that_asks_and_never_reads_is_not_answered_for_ever() -> None:
    async def test(served: Served) -> None:
        _, writer = await served.open()
        for _ in range(20):
            writer.write(GET * 20_000)
            await turns()
            if served.connection.flow.write_paused:
                break
        assert served.connection.flow.write_paused
        buffered = served.connection.transport.get_write_buffer_size()
        writer.write(GET * 1000)
        for _ in range(1000):
            await turns()
            if served.connection.flow.read_paused:
                break
        assert served.connection.flow.read_paused
        assert served.connection.transport.get_write_buffer_size() <= buffered + 1_000_000
        writer.transport.abort()

    serving(test)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", b"413"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", b"413"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (POST[:-1], b"408"),
    ],
)
def test_bodies_that_are_refused(sent: bytes, status: bytes) -> None:
    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(sent)
        assert (await reader.read()).split(b" ")[1] == status
        writer.close()

    serving(test, body_seconds=0.05)


def test_a_header_that_passes_for_a_proxys_is_left_out() -> None:
    async def test(served: Served) -> None:
        sent = OTHER.replace(
            b"Host: x", b"Host: x\r\nConnection: close\r\nX_Forwarded_For: 1.2.3.4\r\nX-A: 1\r\nX-A: 2"
        )
        (said,) = responses(await served.say(sent))
        assert said == b"1,2"

    def tell(environ: Any, start_response: Any) -> Iterable[bytes]:
        assert "HTTP_X_FORWARDED_FOR" not in environ
        start_response("200 OK", [])
        return [environ["HTTP_X_A"].encode()]

    serving(test, tell)


def test_the_process_ends_after_the_request_of_a_client_that_hung_up() -> None:
    begun, may_end = threading.Event(), threading.Event()
    steps: list[str] = []

    def signing(environ: Any, start_response: Any) -> Iterable[bytes]:
        begun.set()
        may_end.wait()
        steps.append("signed")
        start_response("200 OK", [])
        return [b""]

    async def test(served: Served) -> None:
        _, writer = await served.open()
        writer.write(OTHER)
        await asyncio.to_thread(begun.wait)
        writer.close()
        served.server.should_exit = True
        asyncio.get_running_loop().call_later(0.2, may_end.set)

    serving(test, signing)
    assert steps == ["signed"]


def test_connections_send_what_they_have_at_once() -> None:
    """asyncio switches Nagle's algorithm off only for sockets that say that they speak TCP."""
    with server._bound("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


CHUNKED = (
    b"POST /x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


@pytest.mark.parametrize("together", [True, False])
def test_trailers_are_no_headers(together: bool) -> None:
    seen: list[Any] = []

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append({name: value for name, value in environ.items() if name.startswith("HTTP_")})
        return long_way(environ, start_response)

    async def test(served: Served) -> None:
        trailers = b"0\r\nX-Forwarded-For: 9.9.9.9\r\nAuthorization: Bearer x\r\nX-Forwarded-Host: evil\r\n\r\n"
        parts = (CHUNKED, b"2\r\nab\r\n", trailers)
        said = await served.say(b"".join(parts)) if together else await served.say(*parts)
        assert responses(said) == [b"long:/x:ab"]
        assert seen[0]["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
        assert not seen[0].keys() & {"HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_HOST"}

    serving(test, application)


@pytest.mark.parametrize("begun", [CHUNKED + b"0\r\n", b"GET /ocsp/none HTTP/1.1\r\nHost: x\r\n"])
@pytest.mark.parametrize("line", [b"a: " + b"b" * 4000 + b"\r\n", b"c" * 4000])
def test_headers_and_trailers_without_end_close_the_connection(begun: bytes, line: bytes) -> None:
    async def test(served: Served) -> None:
        reader, writer = await served.open()
        writer.write(begun)
        with contextlib.suppress(ConnectionError):
            for _ in range(connection.HEAD_SIZE // len(line) + 2):
                writer.write(line)
                await writer.drain()
                await turns()
            await reader.read()
        await turns()
        assert not served.server.server_state.connections

    serving(test)


@pytest.mark.parametrize("body", [b"Content-Length: 1000000000000", b"Transfer-Encoding: chunked"])
def test_a_question_with_a_body_is_given_a_time(body: bytes) -> None:
    """What stands ready is not given before the body has come, and a body that does not come is given up."""

    async def test(served: Served) -> None:
        said = await served.say(GET.replace(b"Host: x", b"Host: x\r\n" + body))
        assert said.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 408 "))
        assert served.ready.asked == []

    serving(test, body_seconds=0.01)
