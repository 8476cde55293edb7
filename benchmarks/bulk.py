"""``python -m benchmarks.bulk``: certificates taken in a second, and how long a mass revocation takes until it shows.

The ceiling of the import is the same rows put into a bare table (one primary key, no other index, no trigger) in the
fastest way that the database has: ``executemany`` of sqlite3, ``COPY`` of psycopg. Beside ``--database`` URL (an empty
PostgreSQL database) everything is measured on SQLite.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine, text

from benchmarks.report import machine, put
from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.mass_revocation import Selection
from ca_core.services.examination import read_certificate
from ca_core.storage import schema
from ca_core.x509.bundle import certificates_of, pieces
from ca_core.x509.certificate_fields import read_fields
from pechatnik.adapters import engine_of
from pechatnik.bootstrap import build
from pechatnik.config import load
from pechatnik.processes import spread_over
from pechatnik.program import Program

NOW = datetime.now(UTC).replace(microsecond=0)
ROOT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Former Root")])
ISSUER = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Former CA")])
KINDS = {
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
}


def _key(kind: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048) if kind == "rsa-2048" else ec.generate_private_key(ec.SECP256R1())


def _authority(name: x509.Name, key: Any, root: Any) -> x509.Certificate:
    return (
        x509.CertificateBuilder(ROOT, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(3650))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(root, hashes.SHA256())
    )


@dataclass
class Former:
    """Another authority, and a file of its certificates."""

    kind: str
    folder: Path
    key: Any = field(init=False)

    def __post_init__(self) -> None:
        root = _key("ec-p256")
        self.key = _key(self.kind)
        self.root = _authority(ROOT, root, root)
        self.certificate = _authority(ISSUER, self.key, root)

    def write(self, count: int) -> Path:
        """DER, one after the other, as an end entity's looks."""
        path = self.folder / f"{self.kind}.der"
        subscriber = ec.generate_private_key(ec.SECP256R1()).public_key()
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        url = x509.UniformResourceIdentifier("http://pki.example.com/crl/former.crl")
        with path.open("wb") as file:
            for number in range(count):
                name = [
                    x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example Ltd"),
                    x509.NameAttribute(x509.NameOID.COMMON_NAME, f"subscriber {number}"),
                ]
                made = (
                    x509.CertificateBuilder(ISSUER, x509.Name(name), subscriber, x509.random_serial_number())
                    .not_valid_before(NOW)
                    .not_valid_after(NOW + timedelta(365))
                    .add_extension(x509.BasicConstraints(False, None), True)
                    .add_extension(x509.SubjectKeyIdentifier.from_public_key(subscriber), False)
                    .add_extension(identifier, False)
                    .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)]), False)
                    .sign(self.key, hashes.SHA256())
                )
                file.write(made.public_bytes(Encoding.DER))
        return path

    def take_over(self, program: Program) -> None:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        take_in = program.services.authority_import.take_in
        take_in(SYSTEM_ACTOR, "former-root", self.root.public_bytes(Encoding.PEM))
        take_in(SYSTEM_ACTOR, "former", self.certificate.public_bytes(Encoding.PEM), private_key=pem)

    @property
    def empty_list(self) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(ISSUER)
        builder = builder.last_update(NOW).next_update(NOW + timedelta(7))
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(x509.CRLNumber(1), False).add_extension(identifier, False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


@contextmanager
def opened(url: str) -> Iterator[Program]:
    """A program of its own over an empty database; a PostgreSQL one is emptied at the end."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("secrets", "data"):
            (home / name).mkdir(mode=0o700)
        passphrase = home / "secrets" / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("benchmark")
        (home / "pechatnik.toml").write_text(
            f'[installation]\ndata = "data"\n[database]\nurl = "{url}"\n[status]\npresign = true\n'
            '[secrets]\npassphrase_file = "secrets/passphrase"\n[server]\npublic_url = "http://pki.example.com"\n'
        )
        config = load(home / "pechatnik.toml", {})
        engine = engine_of(config)
        schema.upgrade(engine)
        engine.dispose()
        program = build(config)
        try:
            yield program
        finally:
            program.close()
            if url:
                engine = engine_of(config)
                schema.downgrade(engine, "base")
                engine.dispose()


def taken_in(program: Program, former: Former, file: Path, *, signatures: bool, processes: int) -> float:
    """Certificates a second."""
    service = program.services.certificate_import
    status = service.former_status(SYSTEM_ACTOR, "former", lists=[former.empty_list])
    data = file.read_bytes()
    refused: list[object] = []
    with spread_over(processes) as spread:
        begun = time.perf_counter()
        report = service.take_in(
            SYSTEM_ACTOR,
            "former",
            pieces(file.name, data),
            status,
            signatures=signatures,
            refuse=refused.append,
            spread=spread,
        )
        taken = time.perf_counter() - begun
    if refused:
        raise RuntimeError(f"refused: {refused[0]}")
    return report.taken / taken


def ceiling(engine: Engine, file: Path) -> float:
    """The same columns into a bare table, rows a second; reading them is not counted."""
    rows = []
    for piece in pieces(file.name, file.read_bytes()):
        for _, der in certificates_of(piece):
            assert isinstance(der, bytes)
            fields = read_fields(der)
            read = read_certificate(der, f"{fields.serial:x}", fields)
            rows.append((*read[:7], read.not_before.isoformat(), read.not_after.isoformat()))
    blob = "BYTEA" if engine.dialect.name == "postgresql" else "BLOB"
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS bare"))
        connection.execute(
            text(
                f"CREATE TABLE bare (serial TEXT PRIMARY KEY, der {blob}, tbs {blob}, sha256 {blob}, tbs_sha256 {blob},"
                f" spki_sha256 {blob}, subject TEXT, not_before TEXT, not_after TEXT)"
            )
        )
    begun = time.perf_counter()
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        if engine.dialect.name == "postgresql":
            with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["text", *["bytea"] * 5, "text", "text", "text"])
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * 9)})", rows)
    rate = len(rows) / (time.perf_counter() - begun)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE bare"))
    return rate


@dataclass(frozen=True)
class Shown:
    """Seconds of a mass revocation, from its approval."""

    preview: float
    ocsp: float
    """Until no answer says good any more: the last stretch has committed."""
    lists: float
    """Until a published list names all of them."""


def mass_revoked(program: Program, former: Former) -> Shown:
    """All that was taken in, with answers signed beforehand for each."""
    program.services.authorities.renew_responders(SYSTEM_ACTOR)
    program.presigner.fill(SYSTEM_ACTOR, "former")
    program.crls.issue(SYSTEM_ACTOR, "former")
    issuer = next(one for one in program.services.authorities.list(SYSTEM_ACTOR) if one.name == "former")
    officer = _officer(program)
    office = program.services.mass_revocations
    said: dict[str, Any] = {"reason": RevocationReason.SUPERSEDED, "because": "measured"}
    begun = time.perf_counter()
    shown = office.preview(SYSTEM_ACTOR, Selection(issuer=issuer.id), **said)
    previewed = time.perf_counter() - begun
    mass = office.ask(SYSTEM_ACTOR, Selection(issuer=issuer.id), digest=shown.digest, **said)
    begun = time.perf_counter()
    office.approve(officer, mass.id, digest=mass.digest)
    done = office.carry_out(mass.id)
    revoked = time.perf_counter() - begun
    if done.revoked != shown.count:
        raise RuntimeError("some were not revoked")
    (crl,) = program.crls.issue(SYSTEM_ACTOR, "former")
    listed = time.perf_counter() - begun
    # What still stands ready is about the responder's own certificate.
    if crl.entries != shown.count or any(left > 1 for left in program.presigner._store.counts().values()):
        raise RuntimeError("some are not told of")
    return Shown(previewed, revoked, listed)


def _officer(program: Program) -> Actor:
    account, _ = program.services.accounts.create(
        SYSTEM_ACTOR,
        email="officer@example.org",
        name="Officer",
        roles=frozenset({Role.SECURITY_OFFICER}),
        password=None,
    )
    return account.actor()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--certificates", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that read and verify")
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        formers = {kind: Former(kind, Path(folder)) for kind in KINDS}
        files = {kind: former.write(options.certificates) for kind, former in formers.items()}
        urls = ["", options.database] if options.database else [""]
        lines = [line for url in urls for line in _lines(url, formers, files, options)]
    head = ["| database | measured | median | of the ceiling |", "|---|---|---|---|"]
    table = "\n".join([*head, *lines])
    print(table)
    if options.page is not None:
        command = f"python -m benchmarks.bulk --certificates {options.certificates} --runs {options.runs}"
        put(options.page, "bulk", f"{machine(command)}\n\n{table}")
    return 0


def _lines(url: str, formers: dict[str, Former], files: dict[str, Path], options: argparse.Namespace) -> list[str]:
    name = "PostgreSQL" if url else "SQLite"
    cases = [("ec-p256", False), ("ec-p256", True), ("rsa-2048", True)]
    ceilings: list[float] = []
    rates: dict[tuple[str, bool], list[float]] = {case: [] for case in cases}
    shown: list[Shown] = []
    for run in range(options.runs):
        for kind, signatures in cases:
            with opened(url) as program:
                formers[kind].take_over(program)
                if not ceilings or len(ceilings) <= run:
                    ceilings.append(ceiling(program.engine, files[kind]))
                rate = taken_in(program, formers[kind], files[kind], signatures=signatures, processes=options.processes)
                rates[kind, signatures].append(rate)
                print(f"{name}, {kind}, signatures {signatures}: {rate:,.0f} a second", file=sys.stderr)
                if not signatures:
                    shown.append(mass_revoked(program, formers[kind]))
                    print(f"{name}: {shown[-1]}", file=sys.stderr)
    top = statistics.median(ceilings)
    lines = [f"| {name} | ceiling: a bare table, rows a second | {_spread(ceilings)} | |"]
    for (kind, signatures), found in rates.items():
        what = f"import, issuer {kind}, signatures {'verified' if signatures else 'not verified'}, a second"
        lines.append(f"| {name} | {what} | {_spread(found)} | {statistics.median(found) / top:.2f} × |")
    for what, field_name in (
        ("dry run", "preview"),
        ("visible in OCSP after", "ocsp"),
        ("visible in OCSP and CRL after", "lists"),
    ):
        seconds = [getattr(one, field_name) for one in shown]
        lines.append(f"| {name} | mass revocation of {options.certificates:,}: {what}, s | {_spread(seconds, 1)} | |")
    return lines


def _spread(values: Sequence[float], digits: int = 0) -> str:
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ±{(max(values) - min(values)) / middle * 50:.0f} %"


if __name__ == "__main__":
    sys.exit(main())
