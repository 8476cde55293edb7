"""The processes that answer: one that dies is replaced, and none is left when the server ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROCESSES = 2


@pytest.fixture(scope="module")
def server_options() -> str:
    return f"processes = {PROCESSES}\nworker = false\n"


@contextmanager
def serving(house: Any) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("pechatnik")), "-c", str(house.config), "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not alive(port):
                assert server.poll() is None
            yield server, port
        finally:
            server.kill()


def alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def answering(server: subprocess.Popen[bytes]) -> set[int]:
    """Processes that answer; a helper of multiprocessing is a child too."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return {int(child) for child in children if b"spawn_main" in command_of(child)}


def command_of(process: int | str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_process_that_dies_is_replaced(house: Any) -> None:
    with serving(house) as (server, port):
        before = answering(server)
        assert len(before) == PROCESSES
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        while len(answering(server) - {victim}) < PROCESSES:
            assert server.poll() is None
        # Connections are spread among them: whichever gets one answers it.
        assert all(alive(port) for _ in range(20))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_none_is_left_when_the_server_ends(house: Any, number: int) -> None:
    with serving(house) as (server, port):
        children = answering(server)
        server.send_signal(number)
        assert server.wait(timeout=60) == 0
        assert not alive(port)
        assert not any(b"spawn_main" in command_of(child) for child in children)


def test_none_is_left_when_the_server_is_killed(house: Any) -> None:
    with serving(house) as (server, _):
        children = answering(server)
        server.kill()
        server.wait(timeout=60)
        while any(b"spawn_main" in command_of(child) for child in children):
            pass
