"""A status node of an installation, in a process of its own."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation import Installation, free_port
from ca_core.domain.access import SYSTEM_ACTOR, Permission, Role


@contextmanager
def node_of(house: Installation, home: Path, *, processes: int) -> Iterator[tuple[int, int]]:
    """Its port and process id, once every answer has been copied."""
    officer, _ = house.program.services.accounts.create(
        SYSTEM_ACTOR,
        email="c@example.org",
        name="C",
        roles=frozenset({Role.SECURITY_OFFICER}),
        password=None,
    )
    follow = frozenset({Permission.STATUS_FOLLOW})
    _, token = house.program.services.tokens.create(officer.actor(), label="node", scopes=follow, days=1)
    place = home / "node"
    place.mkdir()
    (place / "token").touch(mode=0o600)
    (place / "token").write_text(token)
    port = free_port()
    (place / "node.toml").write_text(
        f'[installation]\ndata = "data"\n[server]\nport = {port}\nprocesses = {processes}\n'
        f'[node]\ncore_url = "http://127.0.0.1:{house.port}"\ntoken_file = "token"\n'
    )
    program = str(Path(sys.executable).with_name("pechatnik"))
    node = subprocess.Popen([program, "-c", str(place / "node.toml"), "serve", "--role", "status"])
    try:
        while not _ready(port):
            if node.poll() is not None:
                raise RuntimeError(f"the node ended with {node.returncode}")
            time.sleep(1)
        yield port, node.pid
    finally:
        node.terminate()
        node.wait(timeout=60)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
