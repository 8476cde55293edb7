"""The client of every outbound call goes where it may and nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ca_core.domain.errors import ConfigurationError, InvalidInput, TryAgain
from ca_core.outbound.guarded_client import GuardedClient


class Peer(BaseHTTPRequestHandler):
    """Answers by path."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/here")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/silent":
            self.connection.recv(1)
        else:
            body = b"x" * (100 if self.path == "/long" else 10)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def peer() -> Iterator[str]:
    Peer.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_named_address_is_called(peer: str) -> None:
    reply = GuardedClient([peer], seconds=10).get(f"{peer}/here", most=10)
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"x" * 10, "10")


def test_a_redirect_is_told_and_not_followed(peer: str) -> None:
    assert GuardedClient([peer], seconds=10).get(f"{peer}/away", most=10).status == 302
    assert Peer.asked == ["/away"]


def test_no_more_is_read_than_was_asked_for(peer: str) -> None:
    client = GuardedClient([peer], seconds=10)
    with pytest.raises(TryAgain, match="more than 99 octets"):
        client.get(f"{peer}/long", most=99)
    assert client.get(f"{peer}/long", most=100).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://example.org/",
        "https://127.0.0.1/",
        "http://[::1]/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org/",
        "/here",
        "http://",
        "http://user:pass@127.0.0.1/",
        "http://a b/",
    ],
)
def test_no_other_address_is_called(peer: str, url: str) -> None:
    with pytest.raises(InvalidInput):
        GuardedClient([peer], seconds=10).get(url, most=10)


def test_the_name_of_a_host_says_nothing_of_another_port(peer: str) -> None:
    host, _, _ = peer.rpartition(":")
    with pytest.raises(InvalidInput):
        GuardedClient([peer], seconds=10).get(f"{host}:1/", most=10)


def test_who_does_not_listen_or_does_not_answer_is_tried_again_later(peer: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TryAgain, match="does not answer"):
        GuardedClient([gone], seconds=10).get(gone, most=10)
    with pytest.raises(TryAgain, match="does not answer"):
        GuardedClient([peer], seconds=0.05).get(f"{peer}/silent", most=10)


def test_roots_that_are_not_there_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a file"):
        GuardedClient([], seconds=1, ca_file=tmp_path / "roots.pem")
