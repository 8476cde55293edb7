"""``python -m benchmarks.timestamps``: time stamps in batches and over HTTP, beside the key alone.

A token is parsed, composed, linted, signed, its signature verified, archived and recorded, durably. The key alone signs
the same octets again and again, on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.installation import Installation, open_installation
from benchmarks.issuance_load import Loop
from benchmarks.peers import installed
from benchmarks.report import machine, put
from benchmarks.status import Target
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.services.gathering import TOGETHER
from ca_core.services.timestamping import Asked
from ca_core.x509.timestamp import MessageImprint, TimestampRequest

ALGORITHMS = (KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_3072)
CLIENTS = 32
REQUEST = TimestampRequest(MessageImprint.make("sha256", hashlib.sha256(b"x").digest()), nonce=1 << 62).der
SCRIPT = (
    'wrk.method = "POST"\nwrk.path = "/tsa"\nwrk.headers["Content-Type"] = "application/timestamp-query"\n'
    f'wrk.body = "{"".join(f"{chr(92)}{octet:03d}" for octet in REQUEST)}"\n'
)


class Stamps:
    """One authority's tokens, and its key alone."""

    def __init__(self, house: Installation, algorithm: KeyAlgorithm) -> None:
        services = house.program.services
        tsa = services.time_stamping_units.make(SYSTEM_ACTOR, "issuing", algorithm=algorithm)
        assert tsa is not None
        self._service = services.timestamping
        self._signer = house.program.keys.signer(tsa.key_reference, tsa.signature_algorithm)

    def stamp(self, count: int) -> None:
        for _ in range(0, count, TOGETHER):
            batch = [Asked(actor=SYSTEM_ACTOR, request=TimestampRequest.parse(REQUEST)) for _ in range(TOGETHER)]
            for outcome in self._service.stamp_all(batch):
                if isinstance(outcome, Exception):
                    raise outcome

    def sign(self, count: int) -> None:
        for _ in range(count):
            self._signer.sign(REQUEST)


def measure(algorithm: KeyAlgorithm, *, runs: int, seconds: int, count: int, database: str) -> str:
    """A row of the table."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        house = stack.enter_context(open_installation(home, KeyAlgorithm.EC_P256, database))
        stamps = Stamps(house, algorithm)
        key, ours = Loop("the key alone", stamps.sign), Loop("in batches", stamps.stamp)
        http = Target("over HTTP", SCRIPT, f"http://127.0.0.1:{house.port}", connections=CLIENTS)
        for run in range(runs + 1):
            key.measure(count)
            ours.measure(count)
            if installed("wrk"):
                http.measure(seconds if run else 1, home / "script.lua")
            if not run:  # everything is warm now
                for measured in (key, ours, http):
                    measured.rates.clear()
    alone = statistics.median(key.rates)
    cells = [f"{alone:,.0f}{_spread(key.rates)}"]
    for measured in (ours, http):
        rate = statistics.median(measured.rates or [0])
        cells.append(f"{rate:,.0f}{_spread(measured.rates)} ({rate / alone:.2f} ×)" if measured.rates else "")
    return f"| {algorithm.value} | {' | '.join(cells)} |"


def _spread(rates: Sequence[float]) -> str:
    return f" ±{(max(rates) - min(rates)) / statistics.median(rates) * 50:.0f} %"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timestamps", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement over HTTP (default 5)")
    parser.add_argument("--count", type=int, default=1280, help="tokens of one run without HTTP, 64 in a transaction")
    parser.add_argument("--algorithm", action="append", choices=[one.value for one in ALGORITHMS], default=[])
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database, with one --algorithm")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    lines = [
        "| authority's key | the key alone, a second | tokens in batches | tokens over HTTP |",
        "|---|---|---|---|",
    ]
    for algorithm in [KeyAlgorithm(one) for one in options.algorithm] or ALGORITHMS:
        print(f"{algorithm.value} …", file=sys.stderr, flush=True)
        lines.append(
            measure(
                algorithm,
                runs=options.runs,
                seconds=options.seconds,
                count=options.count,
                database=options.database,
            )
        )
    text = "\n".join(lines)
    print(text)
    if options.page is not None:
        put(
            options.page, "timestamps", f"{machine(f'python -m benchmarks.timestamps --runs {options.runs}')}\n\n{text}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
