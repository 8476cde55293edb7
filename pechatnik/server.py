"""The server: processes that answer, each with its own listening socket on the one port, and a worker beside them."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path

import structlog
import uvicorn

from ca_core.domain.errors import ConfigurationError
from pechatnik import logs
from pechatnik.bootstrap import build
from pechatnik.config import Config, load
from pechatnik.connection import IDLE_SECONDS, Connection
from pechatnik.front import Front
from pechatnik.role import Role

BACKLOG = 2048
GRACE = 2
"""Seconds in which requests that are being answered are answered, once the server is to end."""
KILLED_AFTER = 10.0
"""Seconds after which a process that was told to end is ended."""
PAUSE = 1.0
"""Seconds before a process that died is replaced."""

log = structlog.get_logger("server")


def serve(config_path: Path, config: Config, *, role: Role = Role.ALL, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM. ConfigurationError when the port cannot be had, or the program not be built."""
    chosen = port or config.server.port
    refuse_taken(config.server.host, chosen)
    stop = threading.Event()
    worker = threading.Thread(target=_beside(role, config), args=(stop,), name="worker", daemon=True)
    if config.server.worker or role is Role.STATUS:
        worker.start()
    sockets = [_bound(config.server.host, chosen) for _ in range(config.server.processes)]
    if role is Role.STATUS:
        log.info("serving status", address=f"http://{config.server.host}:{chosen}")
    try:
        _keep_answering(role, config_path.resolve(), sockets)
    finally:
        stop.set()
        if worker.is_alive():
            worker.join(timeout=10)


def _beside(role: Role, config: Config) -> Callable[[threading.Event], None]:
    """What runs beside the processes that answer."""
    if role is Role.STATUS:
        from pechatnik.node.node import build as build_node

        return build_node(config).follow()
    return build(config).run_worker


def _front(role: Role, config: Config) -> Front:
    if role is Role.STATUS:
        from pechatnik.node.front import front as node_front

        return node_front(config)
    from pechatnik.wsgi import front

    return front(config)


def _keep_answering(role: Role, config_path: Path, sockets: Sequence[socket.socket]) -> None:
    # A process forked while the worker thread runs inherits its locks, held for ever: the child begins anew instead.
    spawn = multiprocessing.get_context("spawn")
    children = {one: spawn.Process(target=answer, args=(role, config_path, one)) for one in sockets}
    for number in (signal.SIGINT, signal.SIGTERM):  # said, since what a shell starts behind it ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        for child in children.values():
            child.start()
        while True:
            wait([child.sentinel for child in children.values()])
            time.sleep(PAUSE)
            for listening, child in list(children.items()):
                if child.exitcode is not None:
                    log.error("a server process died", exit_code=child.exitcode)
                    children[listening] = spawn.Process(target=answer, args=(role, config_path, listening))
                    children[listening].start()
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    finally:
        _end([child for child in children.values() if child.pid is not None])


def _end(children: Sequence[multiprocessing.process.BaseProcess]) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            child.terminate()
    for child in children:
        child.join(KILLED_AFTER)
        if child.exitcode is None:
            log.error("killing a server process that does not end")
            child.kill()


def answer(role: Role, config_path: Path, listening: socket.socket) -> None:
    """What a server process does until it is told to end."""
    logs.configure()
    server = uvicorn.Server(configuration(_front(role, load(config_path))))

    parent = multiprocessing.parent_process()

    async def sweep() -> None:
        if parent is not None and not parent.is_alive():  # it was killed: nobody else would end or replace this one
            server.should_exit = True
        now = asyncio.get_running_loop().time()
        for connection in list(server.server_state.connections):
            if isinstance(connection, Connection):
                connection.sweep(now)

    server.config.callback_notify = sweep
    # What is there by now stays: a collection that went through all of it would keep every client waiting.
    gc.collect()
    gc.freeze()
    with suppress(KeyboardInterrupt):
        server.run([listening])


def configuration(front: Front) -> uvicorn.Config:
    """How uvicorn serves it."""
    return uvicorn.Config(
        front,
        http=Connection,
        loop="asyncio",
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE,
        timeout_notify=1,
    )


def _bound(host: str, port: int) -> socket.socket:
    """One of several on the same address, among which the system spreads connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is said, or asyncio does not switch Nagle's algorithm off: a body then waits 40 ms behind its head.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    return made


def refuse_taken(host: str, port: int) -> None:
    """ConfigurationError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {error.strerror}; "
                "choose another: --port, server.port, or with make PORT=…"
            ) from None
