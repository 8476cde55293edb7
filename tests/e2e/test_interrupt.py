"""Ctrl-C ends the server, whoever keeps a connection open; what is being answered is answered."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /livez HTTP/1.1\r\n"])
def test_an_open_connection_does_not_hold_the_server(house: Any, sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("pechatnik"), "-c", house.config, "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            wait_until_served(port)
            with socket.create_connection(("127.0.0.1", port), timeout=60) as kept:
                kept.sendall(sent)
                if sent.endswith(b"\r\n\r\n"):
                    assert kept.recv(100).startswith(b"HTTP/1.1 200")
                server.send_signal(signal.SIGINT)
                said, _ = server.communicate(timeout=60)
        finally:
            server.kill()
    assert "Killing" not in said, said
    assert "panic" not in said, said
    assert server.returncode == 0


def wait_until_served(port: int) -> None:
    """Tries until the server listens."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200
            return
        except ConnectionRefusedError:
            continue
        finally:
            connection.close()
