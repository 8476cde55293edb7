"""``python -m benchmarks.status``: OCSP answers a second over HTTP, beside its peers in the same run.

Needs ``wrk``; peers that are not installed (``nginx``, ``cfssl``) are left out.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from benchmarks.installation import Installation, open_installation
from benchmarks.memory import resident
from benchmarks.peers import cfssl, installed, nginx
from benchmarks.report import machine, put
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.identifiers import Serial
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, ocsp_request
from ocsp.answers import AnswerStore, Shelf
from ocsp.composing import Composer, Signed, enveloped, tail_of
from ocsp.status import GOOD

ASKED = 100_000
"""Different certificates that are asked about, drawn from all."""
COPIES = 1_000_000
"""From here on an answer is a copy of one signed before, under a serial of its own: as large, as far to look for."""
CONNECTIONS = 32
DIGEST = "sha1"


@dataclass
class Target:
    """Something that answers, and what was measured of it."""

    name: str
    script: str
    """Lua for wrk."""
    url: str
    beside: str = ""
    """Which of ours its rate is compared with."""
    connections: int = CONNECTIONS
    rates: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    """99th percentile, in milliseconds."""

    def measure(self, seconds: int, script_file: Path) -> None:
        script_file.write_text(self.script)
        command = [
            "wrk",
            "-t1",
            f"-c{self.connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(script_file),
            self.url,
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise RuntimeError(f"{self.name}: {said}")
        rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
        late = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
        assert rate is not None
        assert late is not None
        self.rates.append(float(rate[1]))
        self.slowest.append(float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]])


class Answers:
    """The store of an installation, filled; the requests that fit it."""

    def __init__(self, house: Installation, certificates: int) -> None:
        program = house.program
        with program.transactions.read(SYSTEM_ACTOR) as tx:
            self.responder = tx.authorities.responder_for(house.issuer.id, tx.now)
            now = tx.now.replace(microsecond=0)
        assert self.responder is not None
        issuer = SignedCertificate.parse(house.issuer.certificate)
        self.cert_id = CertId.make(
            issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=1, digest=DIGEST
        )
        self._composer = Composer(
            program.keys,
            issuer=house.issuer,
            responder=self.responder,
            validity=timedelta(hours=96),
            unknown_serial="unknown",
        )
        self._now = now
        self.asked: list[tuple[Serial, bytes]] = []
        """Serials and the whole answers about them."""
        self._fill(AnswerStore(program.config.data / "ocsp"), house, certificates)
        random.shuffle(self.asked)

    @property
    def requests(self) -> list[bytes]:
        return [ocsp_request([self.cert_id.of_serial(serial.value)]) for serial, _ in self.asked]

    def _fill(self, store: AnswerStore, house: Installation, certificates: int) -> None:
        shelf = Shelf(issuer=house.issuer.id, digest=DIGEST)
        store.add_shelf(shelf, self.cert_id.before_serial)
        assert self.responder is not None
        tail = tail_of(self.responder)
        number = store.tail(tail)
        copied: Signed | None = None
        batch: list[tuple[Serial, Signed]] = []
        for count, serial in enumerate(_serials(certificates)):
            if copied is None or count < COPIES:
                copied = self._composer.sign([(self.cert_id.of_serial(serial.value), GOOD)], self._now)
                assert copied is not None
            batch.append((serial, copied))
            if count % max(1, certificates // ASKED) == 0:
                self.asked.append((serial, enveloped(copied.der, tail)))
            if len(batch) == 20_000 or count + 1 == certificates:
                store.put(shelf, batch, tail=number)
                batch.clear()
                print(f"\r{count + 1:,} answers", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)


def _serials(many: int) -> Iterator[Serial]:
    """Drawn evenly from all that a serial of 18 octets can be, the lowest first, as presigning goes through them."""
    width = ((1 << 143) - (1 << 136)) // many
    for number in range(many):
        yield Serial((1 << 136) + number * width + random.randrange(width))


def lua(lines: Path, template: str) -> str:
    """A script that asks, one after the other, for what the lines of the file say."""
    return (
        f'local all = {{}}\nfor line in io.lines("{lines}") do all[#all + 1] = {template} end\n'
        "local at = 0\nrequest = function() at = at % #all + 1; return all[at] end\n"
    )


OUR_GET, OUR_POST = "Pechatnik, GET", "Pechatnik, POST"
GET = 'wrk.format("GET", line, {Host = "localhost"})'
POST = (
    'wrk.format("POST", "/ocsp", {Host = "localhost", ["Content-Type"] = "application/ocsp-request"}, '
    '(line:gsub("..", function(two) return string.char(tonumber(two, 16)) end)))'
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.status", description=__doc__)
    parser.add_argument("--certificates", type=int, default=1_000_000)
    parser.add_argument("--beside", type=int, default=0, help="certificates of a second installation (default none)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--processes", type=int, default=2, help="of the server (default 2)")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        house, answers = _filled(stack, home / "house", options.certificates, options.processes)
        targets = [
            *_ours(home, house, answers, ""),
            *_peers(stack, home, answers),
        ]
        if options.beside:
            smaller, fewer = _filled(stack, home / "smaller", options.beside, options.processes)
            targets += _ours(home, smaller, fewer, f", with {options.beside:,}")
        for target in targets:
            target.measure(1, home / "script.lua")
            target.rates.clear()
            target.slowest.clear()
        for _ in range(options.runs):
            for target in targets:
                target.measure(options.seconds, home / "script.lua")
        memory = _memory(house.server)
    text = table(targets) + f"\n\nResident memory of each server process: {memory}."
    print(text)
    if options.page is not None:
        command = f"python -m benchmarks.status --certificates {options.certificates} --runs {options.runs}"
        command += f" --beside {options.beside}" if options.beside else ""
        put(options.page, f"status-{options.certificates}", f"{machine(command)}\n\n{text}")
    return 0


def _filled(stack: ExitStack, home: Path, certificates: int, processes: int) -> tuple[Installation, Answers]:
    home.mkdir()
    place = f"processes = {processes}\n"
    house = stack.enter_context(open_installation(home, KeyAlgorithm.EC_P256, "", server_options=place))
    return house, Answers(house, certificates)


def _ours(home: Path, house: Installation, answers: Answers, size: str) -> Iterator[Target]:
    """``size`` says how the installation differs from the one that peers are compared with."""
    here = f"http://127.0.0.1:{house.port}"
    gets, posts = _written(home, answers)
    yield Target(f"{OUR_GET}{size}", lua(gets, GET), here, OUR_GET if size else "")
    yield Target(f"{OUR_POST}{size}", lua(posts, POST), here, OUR_POST if size else "")


def _written(home: Path, answers: Answers) -> tuple[Path, Path]:
    gets, posts = (home / f"{kind}-{len(answers.asked)}-{id(answers)}" for kind in ("gets", "posts"))
    paths = [quote(b64encode(request).decode(), safe="") for request in answers.requests]
    gets.write_text("\n".join(f"/ocsp/{path}" for path in paths))
    posts.write_text("\n".join(request.hex() for request in answers.requests))
    return gets, posts


def _peers(stack: ExitStack, home: Path, answers: Answers) -> Iterator[Target]:
    _, posts = _written(home, answers)
    post_to_root = POST.replace('"/ocsp"', '"/"')
    if installed("nginx"):
        port = stack.enter_context(nginx(home, answers.asked[0][1]))
        yield Target("nginx, one static file, GET", "", f"http://127.0.0.1:{port}/answer", OUR_GET)
    if installed("cfssl"):
        port = stack.enter_context(cfssl(home, [body for _, body in answers.asked]))
        there = f"http://127.0.0.1:{port}"
        yield Target("cfssl ocspserve, POST", lua(posts, post_to_root), there, OUR_POST)
        # Its GET cannot be measured: the version that Debian has takes the path's first slash for base64.


def table(targets: Sequence[Target]) -> str:
    """One row each; the ratio is of ours by the same method to it."""
    medians = {target.name: statistics.median(target.rates) for target in targets}
    lines = ["| | answers a second | p99, ms | ours, by the same method, is |", "|---|---|---|---|"]
    for target in targets:
        rate = medians[target.name]
        spread = (max(target.rates) - min(target.rates)) / rate * 50
        ratio = f"{medians[target.beside] / rate:.2f} ×" if target.beside else ""
        late = statistics.median(target.slowest)
        lines.append(f"| {target.name} | {rate:,.0f} ±{spread:.0f} % | {late:.1f} | {ratio} |")
    return "\n".join(lines)


def _memory(parent: int) -> str:
    """Of the processes that answer, the store among the mapped files."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return "; ".join("{} MiB own + {} MiB of mapped files".format(*resident(child)) for child in children)


if __name__ == "__main__":
    sys.exit(main())
