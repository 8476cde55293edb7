"""``python -m benchmarks.issuance_load``: certificates a second over HTTP with many clients, beside ``cfssl serve``.

Needs ``wrk``; without ``cfssl`` the peer is left out.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.installation import Installation, free_port, open_installation
from benchmarks.peers import running
from ca_core.domain.algorithms import KeyAlgorithm


@dataclass
class Measured:
    rates: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)


def wrk(script: str, url: str, *, clients: int, seconds: int, home: Path) -> tuple[float, float]:
    """Answers a second, and the 99th percentile in milliseconds."""
    file = home / "script.lua"
    file.write_text(script)
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", str(file), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    late = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    assert rate is not None
    assert late is not None
    return float(rate[1]), float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]]


def script(house: Installation, applications: list[UUID], home: Path) -> str:
    """Each application's certificate is asked for once; wrk stops after the last."""
    lines = home / "applications"
    lines.write_text("\n".join(f"{one} {house.version_of[one]}" for one in applications))
    return f"""
local paths, versions = {{}}, {{}}
for line in io.lines("{lines}") do
  local id, version = line:match("(%S+) (%S+)")
  paths[#paths + 1] = "/api/v1/applications/" .. id .. "/issue"
  versions[#versions + 1] = '"' .. version .. '"'
end
local at = 0
request = function()
  at = at + 1
  if at > #paths then wrk.thread:stop(); at = #paths end
  return wrk.format("POST", paths[at], {{["Host"] = "localhost", ["Authorization"] = "Bearer {house.token}",
    ["If-Match"] = versions[at], ["Content-Length"] = "0"}})
end
"""


@contextmanager
def cfssl(home: Path) -> Iterator[int]:
    port = free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=Peer", "-keyout", str(home / "peer.key"), "-out", str(home / "peer.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    command = [
        "cfssl",
        "serve",
        f"-ca={home / 'peer.pem'}",
        f"-ca-key={home / 'peer.key'}",
        f"-port={port}",
        "-loglevel=5",
    ]
    with running(command, port):
        yield port


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.issuance_load", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--most", type=int, default=2500)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = f"processes = {options.processes}\nthreads = {options.threads}\n"
        house = stack.enter_context(
            open_installation(home, KeyAlgorithm.EC_P256, options.database, server_options=place)
        )
        peer = stack.enter_context(cfssl(home)) if shutil.which("cfssl") else None
        pem = x509.load_der_x509_csr(house.request).public_bytes(Encoding.PEM).decode()
        body = json.dumps(json.dumps({"certificate_request": pem}))
        peer_script = f"""
wrk.method = "POST"
wrk.path = "/api/v1/cfssl/sign"
wrk.headers["Content-Type"] = "application/json"
wrk.body = {body}
"""
        print("filling", file=sys.stderr, flush=True)
        here = f"http://127.0.0.1:{house.port}"

        for run in range(options.runs + 1):
            count = options.most * (options.seconds if run else 1)
            applications = house.copies(count)
            one = wrk(
                script(house, applications, home), here, clients=options.clients, seconds=options.seconds, home=home
            )
            two = wrk(
                peer_script, f"http://127.0.0.1:{peer}", clients=options.clients, seconds=options.seconds, home=home
            )
            print(run, one, two, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
