"""``python -m benchmarks.crl``: a full list from the database beside ``cryptography``'s builder, and a delta.

Each list is built by a process of its own, which says how much memory it had at most.
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import insert

from benchmarks.installation import Installation, open_installation
from benchmarks.report import machine, put
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.certificate import CertificateState, RevocationReason as R
from ca_core.domain.identifiers import Serial, uuid7
from ca_core.storage import triggers
from ca_core.storage.tables import certificates
from ca_core.x509.crl_entries import Revoked
from pechatnik.bootstrap import build
from pechatnik.config import load
from pechatnik.program import Program

REASONS = (R.UNSPECIFIED, R.KEY_COMPROMISE, R.AFFILIATION_CHANGED, R.SUPERSEDED, R.CESSATION_OF_OPERATION)
FLAGS = {
    R.KEY_COMPROMISE: x509.ReasonFlags.key_compromise,
    R.AFFILIATION_CHANGED: x509.ReasonFlags.affiliation_changed,
    R.SUPERSEDED: x509.ReasonFlags.superseded,
    R.CESSATION_OF_OPERATION: x509.ReasonFlags.cessation_of_operation,
}
BATCH = 20_000


@dataclass
class Measured:
    """What one process did, several times over."""

    seconds: list[float]
    mebibytes: int
    """The most memory that the process ever had."""
    size: int
    """Octets of the list."""


def fill(house: Installation, count: int) -> None:
    """Revoked certificates, put into the table past everything that looks at them: only lists read them here."""
    now = datetime.now(UTC)
    chance = Random(1)
    serials = sorted((Serial.random(secrets.token_bytes) for _ in range(count)), key=lambda serial: serial.hex)
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        for index in certificates.indexes:
            index.drop(connection)
        for start in range(0, count, BATCH):
            rows = []
            for serial in serials[start : start + BATCH]:
                reason = chance.choice(REASONS)
                revoked_at = now - timedelta(seconds=chance.randrange(300 * 86_400))
                rows.append(
                    {
                        "id": uuid7(now, secrets.token_bytes),
                        "issuer": house.issuer.id,
                        "serial": serial,
                        "state": CertificateState.REVOKED,
                        "profile": "private/tls-client",
                        "profile_version": "1",
                        "profile_digest": bytes(32),
                        "owner": SYSTEM_ACTOR.id,
                        "subject": "",
                        "tbs": bytes(600),
                        "tbs_sha256": bytes(32),
                        "der": bytes(700),
                        "spki_sha256": bytes(32),
                        "not_before": now - timedelta(days=300),
                        "not_after": now + timedelta(days=65),
                        "partition": 0,
                        "created_at": now - timedelta(days=300),
                        "revoked_at": revoked_at,
                        "reason": reason,
                        "invalidity_date": revoked_at if chance.random() < 0.01 else None,
                        "version": 3,
                        "search": "",
                    }
                )
            connection.execute(insert(certificates), rows)
            print(f"\r{start + len(rows):,} certificates", end="", file=sys.stderr, flush=True)
        for index in certificates.indexes:
            index.create(connection)
        triggers.create(connection)
    print(file=sys.stderr)


def full_lists(program: Program) -> Callable[[], int]:
    """Ours: number, reading, lint, signature, reading again, publishing."""

    def issue() -> int:
        (crl,) = program.crls.issue(SYSTEM_ACTOR, "issuing")
        return len(crl.der)

    return issue


def lists_at_once(program: Program) -> Callable[[], int]:
    """The peer: builds the same entries, which it has in memory, and signs."""
    return _of_cryptography(program, at_once=True)


def lists_one_by_one(program: Program) -> Callable[[], int]:
    """The peer as its documentation has it; each entry that is added costs a copy of all before."""
    return _of_cryptography(program, at_once=False)


def _of_cryptography(program: Program, *, at_once: bool) -> Callable[[], int]:
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        issuer = tx.authorities.by_name("issuing")
        rows = [row for run in tx.certificates.revoked(issuer.id, None, unexpired_at=tx.now) for row in run]
    name = x509.load_der_x509_certificate(issuer.certificate).subject
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def issue() -> int:
        entries = [_entry(row) for row in rows]
        builder = x509.CertificateRevocationListBuilder(
            name, now, now + timedelta(days=7), revoked_certificates=entries if at_once else []
        )
        for entry in [] if at_once else entries:
            builder = builder.add_revoked_certificate(entry)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(issuer.key_identifier, None, None), critical=False)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        return len(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))

    return issue


def _entry(row: Revoked) -> x509.RevokedCertificate:
    serial, at, reason, invalidity = row
    entry = x509.RevokedCertificateBuilder(int(serial, 16), datetime.fromtimestamp(at, UTC))
    if reason:
        entry = entry.add_extension(x509.CRLReason(FLAGS[R(reason)]), critical=False)
    if invalidity is not None:
        moment = datetime.fromtimestamp(invalidity, UTC)
        entry = entry.add_extension(x509.InvalidityDate(moment), critical=False)
    return entry.build()


OURS = "Pechatnik, full list"
BUILDERS = {
    "`cryptography`'s builder, entries at once": lists_at_once,
    "`cryptography`'s builder, one by one": lists_one_by_one,
    OURS: full_lists,
}
FEW = 200_000
"""Beyond that many nobody waits for entries that are added one by one."""


def measure_here(who: str, config: Path, runs: int) -> None:
    """In a process of its own: what :class:`Measured` has, as JSON on standard output."""
    program = build(load(config))
    issue = BUILDERS[who](program)
    seconds = []
    size = 0
    for _ in range(runs):
        begun = time.perf_counter()
        size = issue()
        seconds.append(time.perf_counter() - begun)
    program.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "mebibytes": peak, "size": size}))


def measured(who: str, config: Path, runs: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.crl", "--child", who, "--config", str(config), "--runs", str(runs)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Measured(**json.loads(said.splitlines()[-1]))


def deltas(house: Installation, runs: int) -> Iterator[float]:
    """Seconds that each takes after one more revocation."""
    program = house.program
    program.crls.issue(SYSTEM_ACTOR, "issuing", delta=True)
    for _ in range(runs):
        (application,) = house.ready(1)
        certificate = program.services.issuance.issue(house.subscriber, application)
        program.services.revocation.revoke(
            SYSTEM_ACTOR, certificate.id, reason=R.SUPERSEDED, because="to measure the next delta"
        )
        begun = time.perf_counter()
        (delta,) = program.crls.issue(SYSTEM_ACTOR, "issuing", delta=True)
        yield time.perf_counter() - begun
        assert delta.base is not None


def table(builders: Mapping[str, Measured], delta: Sequence[float]) -> str:
    """Medians; ± is half the spread."""
    ours = statistics.median(builders[OURS].seconds)
    lines = [
        "| | seconds | memory at most, MiB | list, MiB | ours is faster |",
        "|---|---|---|---|---|",
    ]
    for name, found in builders.items():
        ratio = "" if name == OURS else f"{statistics.median(found.seconds) / ours:.1f} ×"
        size = f"{found.size / 2**20:.1f}"
        lines.append(f"| {name} | {_median(found.seconds)} | {found.mebibytes:,} | {size} | {ratio} |")
    lines.append(f"| Pechatnik, delta after one revocation | {_median(delta)} | | | |")
    return "\n".join(lines)


def _median(seconds: Sequence[float]) -> str:
    median = statistics.median(seconds)
    return f"{median:.3f} ±{(max(seconds) - min(seconds)) / median * 50:.0f} %"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crl", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", default="", help="URL of an empty database (default SQLite)")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    parser.add_argument("--child", choices=BUILDERS, help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure_here(options.child, options.config, options.runs)
        return 0
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        deltas_on = "[status]\ncrl_delta_hours = 24\n"
        house = stack.enter_context(
            open_installation(home, KeyAlgorithm.EC_P256, options.database, server_options=deltas_on)
        )
        fill(house, options.entries)
        config = home / "pechatnik.toml"
        measured(OURS, config, 1)  # so that every list that is measured follows one as long
        builders = {}
        for name, lists in BUILDERS.items():
            if lists is not lists_one_by_one:
                builders[name] = measured(name, config, options.runs)
            elif options.entries <= FEW:
                builders[name] = measured(name, config, 1)
        delta = list(deltas(house, max(options.runs, 5)))
    text = table(builders, delta)
    print(text)
    if options.page is not None:
        database = "postgresql" if options.database.startswith("postgresql") else "sqlite"
        command = f"python -m benchmarks.crl --entries {options.entries} --runs {options.runs}"
        command += " --database postgresql+psycopg://…" if database == "postgresql" else ""
        put(options.page, f"crl-{database}-{options.entries}", f"{machine(command)}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
