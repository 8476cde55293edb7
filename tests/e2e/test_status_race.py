"""Invariant 10 over HTTP: several server processes, many clients, answers that are signed beforehand all the while."""

from __future__ import annotations

import secrets
import socket
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.identifiers import Serial
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, ResponseStatus, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer

PROCESSES = 2
CLIENTS = 12
CHECKS = 100_000
"""Answers that are compared with what was committed."""
CERTIFICATES = 60


@pytest.fixture(scope="module")
def server_options() -> str:
    return f"processes = {PROCESSES}\n"


@dataclass
class Subject:
    """One certificate, and what was last committed about it: None while that changes."""

    row: Certificate
    request: bytes
    committed: tuple[int, bool] | None = (0, True)
    """A count of changes, and whether the answer is good."""
    seen: Counter[str] = field(default_factory=Counter)


def certificates(house: Any, many: int) -> list[Subject]:
    """Rows of certificates; what they certify does not matter to their status."""
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        issuing = tx.authorities.by_name("issuing")
        model = tx.certificates.get(issuing.certificate_id, seen_by=EVERYTHING)
    issuer = SignedCertificate.parse(issuing.certificate)
    made = []
    for _ in range(many):
        with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
            intent = replace(
                model,
                id=tx.new_id(),
                issuer=issuing.id,
                serial=Serial.random(secrets.token_bytes),
                state=CertificateState.INTENT,
                spki_sha256=secrets.token_bytes(32),
                der=None,
                sha256=None,
                issued_at=None,
                version=1,
            )
            tx.certificates.add(intent)
            row = tx.certificates.replace(
                replace(
                    intent,
                    state=CertificateState.ISSUED,
                    der=model.der,
                    sha256=secrets.token_bytes(32),
                    issued_at=tx.now,
                )
            )
        cert_id = CertId.make(
            issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=row.serial.value
        )
        made.append(Subject(row, ocsp_request([cert_id])))
    return made


def answers(url: str, stop: threading.Event, subjects: list[Subject]) -> Iterator[tuple[Subject, Any, bytes]]:
    """Ask over one connection, GET and POST by turns: the certificate, what was committed before, the answer."""
    place = urlsplit(url)
    with closing(socket.create_connection((place.hostname, place.port), timeout=60)) as connection:
        stream = connection.makefile("rb")
        while not stop.is_set():
            for number, subject in enumerate(subjects):
                before = subject.committed
                if number % 2:
                    path = quote(b64encode(subject.request).decode(), safe="")
                    asked = f"GET /ocsp/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                else:
                    asked = (
                        f"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\n"
                        f"Content-Length: {len(subject.request)}\r\n\r\n".encode()
                        + subject.request
                    )
                connection.sendall(asked)
                assert stream.readline().startswith(b"HTTP/1.1 200 ")
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                yield subject, before, stream.read(length)


def is_good(answer: bytes) -> bool:
    read = OcspAnswer.parse(answer)
    assert read.status is ResponseStatus.SUCCESSFUL
    assert read.data is not None
    return read.data.answers[0].status is CertStatus.GOOD


def test_invariant_10_no_process_says_good_after_the_commit(house: Any) -> None:
    subjects = certificates(house, CERTIFICATES)
    stop = threading.Event()
    meanings: dict[bytes, bool] = {}
    enough = threading.Semaphore(0)

    def ask() -> int:
        checked = 0
        for subject, before, answer in answers(house.url, stop, subjects):
            if before is None or subject.committed != before:
                subject.seen["changing"] += 1
                continue
            if answer not in meanings:
                meanings[answer] = is_good(answer)
            assert meanings[answer] is before[1], f"{subject.row.serial} after change {before[0]}"
            checked += 1
            if checked % 100 == 0:
                enough.release()
        return checked

    def presign() -> int:
        presigner, issuing, made = house.program.presigner, subjects[0].row.issuer, 0
        while not stop.is_set():
            made += presigner.sign(issuing)
        return made

    def change(subject: Subject, what: Any, *, good: bool, **options: Any) -> None:
        count = subject.committed[0] if subject.committed else 0
        subject.committed = None
        subject.row = what(SYSTEM_ACTOR, subject.row.id, because="a test", **options)
        subject.committed = (count + 1, good)

    revocation = house.services.revocation
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        asking = [pool.submit(ask) for _ in range(CLIENTS)]
        signing = pool.submit(presign)
        try:
            checks = 0
            for turn in range(3):
                for subject in subjects:
                    if turn == 0:
                        change(subject, revocation.hold, good=False)
                    elif turn == 1:
                        change(subject, revocation.unhold, good=True)
                    else:
                        change(subject, revocation.revoke, good=False, reason=RevocationReason.SUPERSEDED)
                    # Each change is looked at for a while by everybody.
                    for _ in range(CHECKS // 100 // (3 * CERTIFICATES) + 1):
                        while not enough.acquire(timeout=1):
                            assert not any(one.done() for one in asking), [one.result() for one in asking if one.done()]
                        checks += 100
        finally:
            stop.set()
    assert sum(one.result() for one in asking) >= CHECKS
    assert signing.result() > 2 * CERTIFICATES
