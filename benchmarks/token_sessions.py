"""``python -m benchmarks.token_sessions``: signatures a second of a token, by the number of sessions.

SoftHSM in a folder of its own; ``softhsm2-util`` is needed. The ceiling is the same software key without a token.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.peers import installed
from benchmarks.report import machine, put
from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.keys.pkcs11 import Pkcs11KeyStore
from ca_core.keys.software import SoftwareKeyStore
from ca_core.services.ports import Signer

PIN = "benchmark"
KINDS = {
    KeyAlgorithm.EC_P256: SignatureAlgorithm.ECDSA_SHA256,
    KeyAlgorithm.RSA_3072: SignatureAlgorithm.RSA_PKCS1_SHA256,
}


def rate(signer: Signer, sessions: int, count: int) -> float:
    """Signatures a second, asked for by as many threads as there are sessions."""
    data = bytes(600)  # octets, about as many as a certificate's
    with ThreadPoolExecutor(sessions) as pool:
        list(pool.map(signer.sign, [data] * sessions))  # every session is open
        started = time.perf_counter()
        list(pool.map(signer.sign, [data] * count))
        return count / (time.perf_counter() - started)


def measured(name: str, runs: int, once: Callable[[], float]) -> tuple[str, float]:
    rates = [once() for _ in range(runs)]
    middle = statistics.median(rates)
    spread = (max(rates) - min(rates)) / middle * 50
    return f"| {name} | {middle:,.0f} ±{spread:.0f} % |", middle


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.token_sessions", description=__doc__)
    parser.add_argument("--module", type=Path, default=Path("/usr/lib/softhsm/libsofthsm2.so"))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    if not installed("softhsm2-util") or not options.module.exists():
        print("left out: SoftHSM is not installed (softhsm2)", file=sys.stderr)
        return 0
    lines = ["| key and sessions | signatures a second | against one session |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "tokens").mkdir()
        (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\n")
        os.environ["SOFTHSM2_CONF"] = str(home / "softhsm2.conf")
        command = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        software = SoftwareKeyStore(home / "keys", lambda: PIN.encode(), entropy=os.urandom)
        for kind, algorithm in KINDS.items():
            alone = 0.0
            for sessions in (1, 2, 4, 8):
                token = Pkcs11KeyStore(options.module, label="bench", pin=lambda: PIN.encode(), max_sessions=sessions)
                if sessions == 1:
                    token.generate(kind.value, kind)
                signer = token.signer(kind.value, algorithm)
                name = f"{kind.value}, {sessions}"
                line, found = measured(
                    name,
                    options.runs,
                    lambda s=signer, n=sessions: rate(s, n, options.count),  # type: ignore[misc]
                )
                alone = alone or found
                lines.append(f"{line} {found / alone:.2f} × |")
            software.generate(kind.value, kind)
            key = software.signer(kind.value, algorithm)
            line, found = measured(f"{kind.value}, software key", options.runs, lambda k=key: rate(k, 1, options.count))  # type: ignore[misc]
            lines.append(f"{line} {found / alone:.2f} × |")
    table = "\n".join(lines)
    print(table)
    if options.page is not None:
        put(options.page, "token-sessions", f"{machine('python -m benchmarks.token_sessions')}\n\n{table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
