"""The server process: granian over the one WSGI application, with a worker beside it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from pathlib import Path

from ca_core.domain.errors import ConfigurationError
from pechatnik.bootstrap import build
from pechatnik.config import Config

CONFIG_VARIABLE = "PECHATNIK_CONFIG"
"""How the server's own child process learns which configuration to read."""


def serve(config_path: Path, config: Config, *, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM. The port is tried first, so that a taken one is one clear sentence."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    chosen = port or config.server.port
    refuse_taken(config.server.host, chosen)
    program = build(config)
    os.environ[CONFIG_VARIABLE] = str(config_path.resolve())
    # A process forked while the worker thread runs inherits its locks, held for ever: the child begins anew instead.
    multiprocessing.set_start_method("spawn", force=True)
    stop = threading.Event()
    worker = threading.Thread(target=program.run_worker, args=(stop,), name="worker", daemon=True)
    if config.server.worker:
        worker.start()
    server = Granian(
        "pechatnik.wsgi:front",
        address=config.server.host,
        port=chosen,
        interface=Interfaces.RSGI,
        workers=config.server.processes,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=3,
        factory=True,
    )
    try:
        server.serve()
    finally:
        stop.set()
        if worker.is_alive():
            worker.join(timeout=10)


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
