"""A status node beside a served authority: the same answers and lists, without its keys and its database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca_core.domain.access import SYSTEM_ACTOR, Permission
from ca_core.domain.account import Account
from ca_core.domain.certificate import Certificate
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, ResponseStatus, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from tests.e2e.test_status_race import certificates

PROGRAM = str(Path(sys.executable).with_name("pechatnik"))
LAG = 3


@pytest.fixture(scope="module")
def server_options() -> str:
    return "processes = 1\nworker = false\n"


@dataclass
class Node:
    """A node of the served authority."""

    url: str
    place: Path
    process: subprocess.Popen[bytes]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [PROGRAM, "-c", str(self.place / "node.toml"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.place)

    def get(self, path: str) -> tuple[int, bytes]:
        return fetch(f"{self.url}{path}")

    def asked(self, request: bytes) -> OcspAnswer:
        return asked(self.url, request)


def fetch(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, data=body, headers={"Content-Type": "application/ocsp-request"} if body else {})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def asked(url: str, request: bytes) -> OcspAnswer:
    code, body = fetch(f"{url}/ocsp", request)
    assert code == 200
    return OcspAnswer.parse(body)


def status_of(answer: OcspAnswer) -> CertStatus:
    assert answer.data is not None
    return answer.data.answers[0].status


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not come to hold within a minute")


def configure(place: Path, core: str, token: str, port: int) -> None:
    (place / "token").touch(mode=0o600)
    (place / "token").write_text(token)
    (place / "node.toml").write_text(
        f'[installation]\ndata = "data"\n[server]\nport = {port}\n'
        f'[node]\ncore_url = "{core}"\ntoken_file = "token"\nlag_seconds = {LAG}\n'
    )


def token_of(house: Any) -> str:
    officer: Account = house.services.accounts.find_by_email(SYSTEM_ACTOR, "security-officer@example.org")
    scopes = frozenset({Permission.STATUS_FOLLOW})
    secret: str = house.services.tokens.create(officer.actor(), label="node", scopes=scopes, days=1)[1]
    return secret


@pytest.fixture(scope="module")
def subjects(house: Any) -> list[Any]:
    made = certificates(house, 6)
    house.program.presigner.fill(SYSTEM_ACTOR, "issuing")
    return made


@pytest.fixture(scope="module")
def node(house: Any, subjects: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    place = tmp_path_factory.mktemp("node")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configure(place, house.url, token_of(house), port)
    with (place / "node.log").open("wb") as log:
        command = [PROGRAM, "-c", str(place / "node.toml"), "serve", "--role", "status"]
        with subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=place) as process:
            made = Node(f"http://127.0.0.1:{port}", place, process)

            def ready() -> bool:
                assert process.poll() is None, (place / "node.log").read_text()
                try:
                    return made.get("/readyz")[0] == 200
                except OSError:
                    return False

            until(ready)
            yield made
            process.terminate()
            assert process.wait(timeout=60) == 0


def hold(house: Any, row: Certificate) -> None:
    current = house.services.certificates.get(SYSTEM_ACTOR, row.id)
    house.services.revocation.hold(SYSTEM_ACTOR, row.id, because="asked", version=current.version)


def test_it_gives_the_answers_of_the_core_byte_for_byte(house: Any, node: Node, subjects: list[Any]) -> None:
    for subject in subjects:
        path = f"/ocsp/{quote(b64encode(subject.request).decode(), safe='')}"
        core = fetch(f"{house.url}{path}")
        assert node.get(path) == core
        assert fetch(f"{node.url}/ocsp", subject.request) == core
        assert status_of(OcspAnswer.parse(core[1])) is CertStatus.GOOD


def test_openssl_takes_its_answers(house: Any, node: Node, subjects: list[Any], tmp_path: Path) -> None:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        authorities = {one.name: one for one in tx.authorities.all()}
    for name in ("root", "issuing"):
        der = authorities[name].certificate
        (tmp_path / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    said = subprocess.run(
        f"openssl ocsp -issuer issuing.pem -serial 0x{subjects[0].row.serial.value:x} -url {node.url}/ocsp"
        " -CAfile root.pem -no_nonce -text".split(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Response verify OK" in said.stderr
    assert "Cert Status: good" in said.stdout


def test_lists_and_certificates_lie_at_the_same_paths(house: Any, node: Node) -> None:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        keys = [one.key_identifier.hex() for one in tx.authorities.issuers()]
    for path in [f"/crl/{key}.crl" for key in keys] + [f"/aia/{key}.cer" for key in keys]:
        until(lambda path=path: node.get(path)[0] == 200)
        assert node.get(path) == fetch(f"{house.url}{path}")


def test_a_revocation_comes_to_be_told_and_its_list_too(house: Any, node: Node, subjects: list[Any]) -> None:
    subject = subjects[0]
    assert status_of(node.asked(subject.request)) is CertStatus.GOOD
    hold(house, subject.row)
    until(lambda: status_of(node.asked(subject.request)) is not CertStatus.GOOD)
    house.program.crls.issue(SYSTEM_ACTOR, "issuing")
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        key = tx.authorities.by_name("issuing").key_identifier.hex()

    def listed() -> bool:
        crl = x509.load_der_x509_crl(node.get(f"/crl/{key}.crl")[1])
        return crl.get_revoked_certificate_by_serial_number(subject.row.serial.value) is not None

    until(listed)


def test_what_it_has_no_answer_to_it_asks_the_core_for(house: Any, node: Node, subjects: list[Any]) -> None:
    issuer = SignedCertificate.parse(house.program.crls.issuer(_issuing_key(house)).certificate)
    never = CertId.make(issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=12345)
    assert status_of(node.asked(ocsp_request([never]))) is CertStatus.UNKNOWN
    two = ocsp_request([never, never.of_serial(12346)])
    assert len(node.asked(two).data.answers) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"x", b"0" * 100])
def test_what_is_no_request_is_malformed(node: Node, body: bytes) -> None:
    assert node.asked(body).status is ResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/api/v1/me", "/api/v1/status/changes", "/static/x", "/aia/x", "/crl/x"]
)
def test_it_serves_nothing_else(node: Node, path: str) -> None:
    assert node.get(path)[0] == 404


def test_it_says_how_old_it_is(node: Node) -> None:
    code, body = node.get("/readyz")
    assert (code, set(json.loads(body)["checks"])) == (200, {"copy", "core"})
    metrics = node.get("/metrics")[1].decode()
    assert "pechatnik_node_lag_seconds" in metrics
    assert "pechatnik_node_answers" in metrics
    checked = node.call("doctor", "--json")
    assert {one["name"] for one in json.loads(checked.stdout)["checks"]} >= {"copy", "core"}


def test_it_has_no_key_and_no_database(node: Node) -> None:
    files = {path.name for path in (node.place / "data").rglob("*") if path.is_file()}
    assert files == {"data.mdb", "lock.mdb", "following"}


def test_its_answers_can_be_files(node: Node, tmp_path: Path) -> None:
    done = node.call("ocsp", "export", str(tmp_path / "tree"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] > 0


def test_a_core_that_is_silent_is_not_spoken_for(house: Any, node: Node, subjects: list[Any], tmp_path: Path) -> None:
    request = subjects[-1].request
    assert status_of(node.asked(request)) is CertStatus.GOOD
    child = min(answering(house))
    os.kill(child, signal.SIGSTOP)
    try:
        until(lambda: node.asked(request).status is ResponseStatus.TRY_LATER)
        assert node.get("/readyz")[0] == 503
        refused = node.call("ocsp", "export", str(tmp_path / "tree"))
        assert refused.returncode == 75
        assert "the core was heard" in refused.stderr
    finally:
        os.kill(child, signal.SIGCONT)
    until(lambda: node.asked(request).status is ResponseStatus.SUCCESSFUL and node.get("/readyz")[0] == 200)


def answering(house: Any) -> list[int]:
    """Server processes of the authority: those that were begun with its configuration's port open."""
    found = []
    port = int(house.url.rpartition(":")[2])
    listening = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1] == f"0100007F:{port:04X}" and line.split()[3] == "0A"
    }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            sockets = {os.readlink(one) for one in (process / "fd").iterdir()}
        except OSError:
            continue
        if b"spawn_main" in command and any(f"socket:[{inode}]" in sockets for inode in listening):
            found.append(int(process.name))
    return found


def _issuing_key(house: Any) -> str:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        key: str = tx.authorities.by_name("issuing").key_identifier.hex()
    return key


def test_a_second_node_in_the_same_directory_does_not_start(node: Node) -> None:
    refused = node.call("serve", "--role", "status", "--port", "1024")
    assert refused.returncode == 78
    assert "another status node runs in" in refused.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('core_url = "http://core.example.org"\ntoken_file = "token"', "in the clear; use https"),
        ('core_url = "ftp://core"\ntoken_file = "token"', "is an address such as https"),
        ('core_url = "https://core"', "token_file: is missing"),
        ("", "set node.core_url and node.token_file"),
        ('core_url = "https://core"\ntoken_file = "absent"', "cannot be read"),
        ('core_url = "https://core"\ntoken_file = "token"\nlag_seconds = 1', "lag_seconds"),
        ('core_url = "https://core"\ntoken_file = "token"\nca_file = "absent"', "is not a file of certificates"),
    ],
)
def test_a_node_that_cannot_follow_does_not_start(tmp_path: Path, change: str, sentence: str) -> None:
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("pkt_x")
    (tmp_path / "node.toml").write_text(f'[installation]\nenvironment = "demo"\ndata = "data"\n[node]\n{change}\n')
    command = [PROGRAM, "-c", str(tmp_path / "node.toml"), "serve", "--role", "status"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 78
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_token_that_was_ended_is_said_to_be(house: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configure(tmp_path, house.url, "pkt_none", port)
    log = tmp_path / "node.log"
    command = [PROGRAM, "-c", str(tmp_path / "node.toml"), "serve", "--role", "status"]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=tmp_path) as process:
        until(lambda: b"the token is unknown, expired or revoked" in log.read_bytes())
        assert process.poll() is None
        process.terminate()
        process.wait(timeout=60)
