"""``python -m benchmarks.issuance_load``: certificates a second with many clients, over HTTP and without, beside peers.

Needs ``wrk``; without ``cfssl`` that peer is left out. Everything is on but the external lint of every certificate: the
profile asks for it on the first of each combination, own rules run on all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.installation import Installation, open_installation
from benchmarks.peers import cfssl_issuing, installed
from benchmarks.report import machine, put
from benchmarks.status import Target
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import CaError
from ca_core.services.gathering import TOGETHER
from ca_core.services.issuance_order import Wanted

OURS = "Pechatnik over HTTP"


@dataclass
class Loop:
    """Certificates a second of one thread, without HTTP."""

    name: str
    run: Callable[[int], object]
    rates: list[float] = field(default_factory=list)

    def measure(self, count: int) -> None:
        started = time.perf_counter()
        self.run(count)
        self.rates.append(count / (time.perf_counter() - started))


def script(house: Installation, applications: Sequence[UUID], home: Path) -> str:
    """Each application's certificate is asked for once; after the last one wrk ends."""
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


def peer_script(request: bytes) -> str:
    pem = x509.load_der_x509_csr(request).public_bytes(Encoding.PEM).decode()
    body = json.dumps(json.dumps({"certificate_request": pem}))
    return (
        'wrk.method = "POST"\nwrk.path = "/api/v1/cfssl/sign"\n'
        f'wrk.headers["Content-Type"] = "application/json"\nwrk.body = {body}\n'
    )


def builder_loop(house: Installation) -> Callable[[int], object]:
    """The peer: parse the request, verify it, build the same extensions with ``cryptography``, sign; nothing stored."""
    key = ec.generate_private_key(ec.SECP256R1())
    assert house.sample.der is not None
    pattern = x509.load_der_x509_certificate(house.sample.der)

    def run(count: int) -> None:
        for _ in range(count):
            request = x509.load_der_x509_csr(house.request)
            assert request.is_signature_valid
            now = datetime.now(UTC)
            builder = x509.CertificateBuilder(
                pattern.issuer,
                pattern.subject,
                request.public_key(),
                x509.random_serial_number(),
                now,
                now + timedelta(1),
            )
            for extension in pattern.extensions:
                builder = builder.add_extension(extension.value, extension.critical)
            builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    return run


class Service:
    """The whole service in one process, as a batch uses it: durable, linted by own rules, on record."""

    def __init__(self, house: Installation) -> None:
        self._house = house
        self._waiting: list[UUID] = []

    def prepare(self, count: int) -> None:
        self._waiting = self._house.copies(count)

    def run(self, count: int) -> None:
        wanted = [Wanted(actor=self._house.subscriber, application=one) for one in self._waiting[:count]]
        for at in range(0, count, TOGETHER):
            for outcome in self._house.program.services.issuance.issue_all(wanted[at : at + TOGETHER]):
                if isinstance(outcome, CaError):
                    raise outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.issuance_load", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1, help="of the server (default 1: SQLite has one writer)")
    parser.add_argument("--most", type=int, default=3000, help="certificates a second that are prepared for")
    parser.add_argument("--count", type=int, default=1280, help="certificates of one run without HTTP")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database (default: SQLite)")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = f"processes = {options.processes}\n"
        house = stack.enter_context(
            open_installation(home, KeyAlgorithm.EC_P256, options.database, server_options=place)
        )
        ours = Target(OURS, "", f"http://127.0.0.1:{house.port}", connections=options.clients)
        targets = [ours]
        if installed("cfssl"):
            port = stack.enter_context(cfssl_issuing(home))
            peer = peer_script(house.request)
            targets.append(Target("cfssl serve", peer, f"http://127.0.0.1:{port}", OURS, connections=options.clients))
        service = Service(house)
        loops = [
            Loop("Pechatnik, one process, no HTTP", service.run),
            Loop("cryptography's builder", builder_loop(house)),
        ]
        for run in range(options.runs + 1):
            seconds = options.seconds if run else 1
            print(f"run {run} …", file=sys.stderr, flush=True)
            ours.script = script(house, house.copies(options.most * seconds), home)
            service.prepare(options.count)
            for target in targets:
                target.measure(seconds, home / "script.lua")
            for loop in loops:
                loop.measure(options.count)
            if not run:  # everything is warm now
                for target in targets:
                    target.rates.clear()
                    target.slowest.clear()
                for loop in loops:
                    loop.rates.clear()
    text = table(targets, loops)
    print(text)
    if options.page is not None:
        kind = "postgresql" if options.database else "sqlite"
        command = f"python -m benchmarks.issuance_load --runs {options.runs}"
        command += " --database URL" if options.database else ""
        put(options.page, f"issuance-load-{kind}", f"{machine(command)}\n\n{text}")
    return 0


def table(targets: Sequence[Target], loops: Sequence[Loop]) -> str:
    """One row each; the ratio is of ours, over HTTP or without, to the peer."""
    lines = ["| | certificates a second | p99, ms | ours is |", "|---|---|---|---|"]
    for first, *others in (targets, loops):
        mine = statistics.median(first.rates)
        for one in (first, *others):
            rate = statistics.median(one.rates)
            spread = (max(one.rates) - min(one.rates)) / rate * 50
            late = f"{statistics.median(one.slowest):.1f}" if isinstance(one, Target) else ""
            ratio = "" if one is first else f"{mine / rate:.2f} ×"
            lines.append(f"| {one.name} | {rate:,.0f} ±{spread:.0f} % | {late} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
