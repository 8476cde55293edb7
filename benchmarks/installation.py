"""A whole authority in a temporary folder, with a server in front, to measure against."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor, Role
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import Authority
from ca_core.domain.certificate import Certificate
from ca_core.domain.profile import Profile
from ca_core.services.new_application import NewApplication
from ca_core.services.ports import Signer
from ca_core.storage import schema
from pechatnik.adapters import engine_of
from pechatnik.bootstrap import build
from pechatnik.config import load
from pechatnik.program import Program

PROFILE = "private/tls-client"
LIGHT = "benchmark/tls-client"
"""The same, with the full lint on the first of each combination only."""
PACK = Path(__file__).with_name("pack")
SUBJECT = {"O": "Example Ltd", "CN": "client.example.org"}


@dataclass
class Installation:
    """The program, and applications that wait for nothing but their certificate."""

    program: Program
    subscriber: Actor
    operator: Actor
    centre: UUID
    connection: http.client.HTTPConnection
    token: str
    port: int
    server: int
    """Process id; those that answer are its children."""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    approval_of: dict[UUID, bytes] = field(default_factory=dict)
    version_of: dict[UUID, int] = field(default_factory=dict)
    subject: dict[str, str] = field(default_factory=lambda: dict(SUBJECT))

    def __post_init__(self) -> None:
        self.issuer: Authority = next(
            one for one in self.program.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing"
        )
        self.signer: Signer = self.program.keys.signer(self.issuer.key_reference, self.issuer.signature_algorithm)
        self.profile: Profile = self.program.services.intake.profile(self.subscriber, PROFILE)
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key_info: bytes = spki
        self.request = request_for(self.key)
        (first,) = self.ready(1)
        self.sample: Certificate = self.program.services.issuance.issue(self.subscriber, first)

    def new_id(self) -> UUID:
        with self.program.transactions.read(SYSTEM_ACTOR) as tx:
            return tx.new_id()

    def copies(self, count: int, profile: str = LIGHT) -> list[UUID]:
        """That many applications, approved, each with a request for a key of its own: rows as they are after the first
        went all the way."""
        (first,) = self.ready(1, profile)
        found: list[UUID] = []
        with self.program.transactions.read(SYSTEM_ACTOR) as tx:
            pattern = tx.applications.get(first, seen_by=EVERYTHING)
            approvals = tx.applications.approvals(first, pattern.round)
        while len(found) < count:
            with self.program.transactions.begin(SYSTEM_ACTOR) as tx:
                for _ in range(min(count - len(found), 1000)):
                    number = tx.applications.next_number(tx.now.year)
                    request = request_for(ec.generate_private_key(ec.SECP256R1()))
                    copy = replace(pattern, id=tx.new_id(), number=number, request_der=request)
                    tx.applications.add(copy)
                    for approval in approvals:
                        tx.applications.add_approval(replace(approval, id=tx.new_id(), application=copy.id))
                    found.append(copy.id)
                    self.version_of[copy.id] = copy.version
        return found

    def ready(self, count: int, profile: str = PROFILE) -> list[UUID]:
        """That many applications, approved, with their request."""
        services = self.program.services
        found = []
        for _ in range(count):
            new = NewApplication(profile=profile, subject=self.subject, centre=self.centre)
            application = services.intake.create(self.subscriber, new)
            services.intake.submit(self.subscriber, application.id, version=application.version)
            services.review.claim(self.operator, application.id)
            seen = services.review.snapshot(self.operator, application.id)
            approved = services.review.approve(
                self.operator, application.id, version=seen.application.version, digest=seen.digest
            )
            received = services.requests.receive(
                self.subscriber, application.id, self.request, version=approved.version
            )
            self.version_of[application.id] = received.version
            self.approval_of[application.id] = seen.digest
            found.append(application.id)
        return found

    def post_issue(self, application: UUID) -> None:
        """Ask for the certificate over HTTP."""
        self.connection.request(
            "POST",
            f"/api/v1/applications/{application}/issue",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Length": "0",
                "If-Match": f'"{self.version_of[application]}"',
            },
        )
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the server answered {answer.status}")


def request_for(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certification request (PKCS #10), DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@contextmanager
def open_installation(
    home: Path, algorithm: KeyAlgorithm, database: str, *, server_options: str = "", port: int = 0
) -> Iterator[Installation]:
    """Make it, start its server, and stop that at the end. ``server_options`` are lines of TOML; without ``port`` one
    is taken that is free."""
    for name in ("secrets", "data"):
        (home / name).mkdir(mode=0o700)
    passphrase = home / "secrets" / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("benchmark")
    port = port or free_port()
    path = home / "pechatnik.toml"
    path.write_text(
        f'[installation]\ndata = "data"\n[database]\nurl = "{database}"\n'
        f'[secrets]\npassphrase_file = "secrets/passphrase"\n[server]\nport = {port}\n'
        f'public_url = "http://127.0.0.1:{port}"\nworker = false\n{server_options}\n'
        f'[packs]\ndirectories = ["{PACK}"]\n'
    )
    config = load(path)
    engine = engine_of(config)
    schema.upgrade(engine)
    engine.dispose()
    program = build(config)
    program.initialise(
        SYSTEM_ACTOR,
        organization="Benchmark",
        country="XX",
        root_algorithm=algorithm,
        issuing_algorithm=algorithm,
        responder_algorithm=KeyAlgorithm.EC_P256,
        partitions=0,
    )
    accounts = program.services.accounts
    centre = accounts.create_centre(SYSTEM_ACTOR, code="B", name="Benchmark")
    subscriber, _ = accounts.create(
        SYSTEM_ACTOR, email="s@example.org", name="S", roles=frozenset({Role.SUBSCRIBER}), password=None
    )
    operator, _ = accounts.create(
        SYSTEM_ACTOR,
        email="o@example.org",
        name="O",
        roles=frozenset({Role.OPERATOR}),
        centres=frozenset({centre.id}),
        password=None,
    )
    actor = subscriber.actor()
    _, token = program.services.tokens.create(actor, label="benchmark", scopes=actor.permissions, days=1)
    environment = dict(os.environ)
    program_file = str(Path(sys.executable).with_name("pechatnik"))
    server = subprocess.Popen([program_file, "-c", str(path), "serve"], env=environment)
    try:
        connection = _connected(port)
        yield Installation(
            program=program,
            subscriber=actor,
            operator=operator.actor(),
            centre=centre.id,
            connection=connection,
            token=token,
            port=port,
            server=server.pid,
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        program.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
        return number


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/livez")
            connection.getresponse().read()
            return connection
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
