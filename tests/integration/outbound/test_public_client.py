"""The client for addresses in certificates reaches the public Internet, and nothing that is not."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from ca_core.domain.errors import InvalidInput, TryAgain
from ca_core.outbound.public_client import PublicClient, public

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlist"


@pytest.fixture
def serve() -> Iterator[Callable[[Sequence[bytes]], int]]:
    """A server that sends these pieces, the last of them again and again until it is cut off; gives its port."""
    sockets: list[socket.socket] = []
    heard: list[threading.Thread] = []

    def begin(pieces: Sequence[bytes], *, forever: bool = False) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def answer() -> None:
            try:
                peer, _ = listening.accept()
                with peer:
                    asked = peer.recv(65_536)
                    length = re.search(rb"content-length: (\d+)", asked, re.IGNORECASE)
                    while length and len(asked.partition(b"\r\n\r\n")[2]) < int(length[1]):
                        asked += peer.recv(65_536)  # a body may come behind its head
                    begin.asked.append(asked)  # type: ignore[attr-defined]
                    for piece in pieces:
                        peer.sendall(piece)
                    while forever:
                        peer.sendall(pieces[-1])
                        if peer.recv(1) == b"":
                            return
            except OSError:
                return

        heard.append(threading.Thread(target=answer, daemon=True))
        heard[-1].start()
        return int(listening.getsockname()[1])

    begin.asked = []  # type: ignore[attr-defined]
    yield begin
    for one in sockets:
        one.close()


def client(port: int, *, seconds: float = 10, addresses: Sequence[str] = ("127.0.0.1",)) -> PublicClient:
    """Takes this machine for the public Internet."""
    return PublicClient([port], seconds=seconds, resolve=lambda *_: addresses, is_public=lambda one: one == "127.0.0.1")


def test_the_address_that_was_checked_is_the_one_that_is_called(serve: Callable[..., int]) -> None:
    port = serve([ANSWER])
    asked = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    named = PublicClient([port], seconds=10, resolve=resolve, is_public=lambda _: True)
    reply = named.get(f"http://lists.example.org:{port}/one.crl", most=10)
    assert (reply.status, reply.body, asked) == (200, b"list", ["lists.example.org"])
    [request] = serve.asked  # type: ignore[attr-defined]
    assert request.startswith(b"GET /one.crl HTTP/1.1\r\n")
    assert f"host: lists.example.org:{port}\r\n".encode() in request.lower()


def test_what_is_posted_arrives(serve: Callable[..., int]) -> None:
    port = serve([ANSWER])
    client(port).post(f"http://ocsp.example.org:{port}/", b"question", most=10, headers={"Content-Type": "a/b"})
    [request] = serve.asked  # type: ignore[attr-defined]
    assert request.endswith(b"\r\n\r\nquestion")
    assert b"content-type: a/b\r\n" in request.lower()


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], []])
def test_a_host_with_an_address_that_is_not_public_is_not_called(
    serve: Callable[..., int], addresses: Sequence[str]
) -> None:
    port = serve([ANSWER])
    with pytest.raises(InvalidInput, match="public Internet"):
        client(port, addresses=addresses).get(f"http://lists.example.org:{port}/", most=10)
    assert serve.asked == []  # type: ignore[attr-defined]


def test_another_port_is_not_called() -> None:
    with pytest.raises(InvalidInput, match="port"):
        client(80).get("http://lists.example.org:6379/", most=10)


@pytest.mark.parametrize("url", ["ftp://a.example/", "file:///etc/passwd", "http://u:p@a.example/", "//a.example/", ""])
def test_what_is_no_address_of_the_web_is_not_called(url: str) -> None:
    with pytest.raises(InvalidInput):
        client(80).get(url, most=10)


def test_a_redirect_is_told_and_not_followed(serve: Callable[..., int]) -> None:
    port = serve([b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"])
    assert client(port).get(f"http://lists.example.org:{port}/", most=10).status == 302
    assert len(serve.asked) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "pieces",
    [[b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", b"x" * 11], [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 11]],
)
def test_no_more_is_read_than_was_asked_for(serve: Callable[..., int], pieces: Sequence[bytes]) -> None:
    port = serve(pieces)
    with pytest.raises(TryAgain, match="more than 10 octets"):
        client(port).get(f"http://lists.example.org:{port}/", most=10)


def test_what_is_packed_is_not_unpacked(serve: Callable[..., int]) -> None:
    port = serve([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"])
    assert client(port).get(f"http://lists.example.org:{port}/", most=10).body == b"\x1f\x8b\x08\x00"


@pytest.mark.parametrize("pieces", [[b"HTTP/1.1 200 OK\r\nA: "], [b"HTTP/1.1 200 OK\r\n\r\nx"], [b""]])
def test_who_never_ends_is_not_waited_for(serve: Callable[..., int], pieces: Sequence[bytes]) -> None:
    port = serve(pieces, forever=True)
    with pytest.raises(TryAgain, match="does not answer"):
        client(port, seconds=0.2).get(f"http://lists.example.org:{port}/", most=1_000)


def test_who_is_not_there_is_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with pytest.raises(TryAgain, match="does not answer"):
        client(port).get(f"http://lists.example.org:{port}/", most=10)


def test_a_host_that_nobody_knows_is_tried_again_later() -> None:
    def unknown(*_: object) -> Sequence[str]:
        raise socket.gaierror

    with pytest.raises(TryAgain, match="not known"):
        PublicClient([80], seconds=1, resolve=unknown).get("http://nowhere.invalid/", most=10)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff0e::1",
        "2001:db8::1",
        "somewhere",
    ],
)
def test_that_is_no_address_of_the_public_internet(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_that_is_an_address_of_the_public_internet(address: str) -> None:
    assert public(address)
