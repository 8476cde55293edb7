"""Issuance per second, with one thing added at a time."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from benchmarks.installation import Installation, open_installation
from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.identifiers import Serial
from ca_core.keys.key_material import make_key
from ca_core.services.certificate_content import compose, urls_of
from ca_core.services.signing import sign_certificate


@dataclass(frozen=True, kw_only=True)
class Result:
    """Certificates per second: the median of the runs, and the spread in percent of it."""

    algorithm: KeyAlgorithm
    rates: dict[str, tuple[float, float]]


def measure(algorithm: KeyAlgorithm, *, count: int, runs: int, database: str) -> Result:
    """Every step for one algorithm of the issuing authority; subscribers' keys are P-256 throughout."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        house = stack.enter_context(open_installation(home, algorithm, database))
        steps: dict[str, Callable[[int], Sequence[Callable[[], object]]]] = {
            "cryptography's builder": lambda n: _bare_builder(house, algorithm, n),
            "sign only": lambda n: _sign_only(house, n),
            "+ store": lambda n: _store(house, n),
            "+ lint": lambda n: _lint(house, n),
            "+ audit (all of it)": lambda n: _issue(house, n),
            "over HTTP": lambda n: _http(house, n),
        }
        rates: dict[str, list[float]] = {name: [] for name in steps}
        for prepare in steps.values():  # everything warm: imports, validators, pools
            for call in prepare(2):
                call()
        for _ in range(runs):
            for name, prepare in steps.items():  # all steps in each run, so that none has the machine to itself
                calls = prepare(count)
                started = time.perf_counter()
                for call in calls:
                    call()
                rates[name].append(count / (time.perf_counter() - started))
    return Result(algorithm=algorithm, rates={name: _median(found) for name, found in rates.items()})


def _median(found: Sequence[float]) -> tuple[float, float]:
    middle = statistics.median(found)
    return middle, (max(found) - min(found)) / middle * 100


def _bare_builder(house: Installation, algorithm: KeyAlgorithm, count: int) -> Sequence[Callable[[], object]]:
    """The peer: the same extensions through ``cryptography``'s own builder, nothing checked, nothing stored."""
    key: Any = make_key(algorithm)
    template = x509.load_der_x509_certificate(house.sample.der or b"")
    now = datetime.now(UTC)
    digest = None if algorithm.value.startswith(("ed", "ml")) else hashes.SHA256()
    if algorithm is KeyAlgorithm.EC_P384:
        digest = hashes.SHA384()  # type: ignore[assignment]  # as the authority signs

    def build() -> object:
        builder = x509.CertificateBuilder(
            template.issuer,
            template.subject,
            template.public_key(),
            x509.random_serial_number(),
            now,
            now + timedelta(1),
        )
        for extension in template.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(key, digest)

    return [build] * count


def _sign_only(house: Installation, count: int) -> Sequence[Callable[[], object]]:
    """The key over bytes that are there already."""
    signer, tbs = house.signer, house.sample.tbs
    return [lambda: signer.sign(tbs)] * count


def _store(house: Installation, count: int) -> Sequence[Callable[[], object]]:
    """Intent, signature and result in two durable transactions, without records or lint."""
    signer = house.signer
    applications = house.ready(count)

    def one(application: UUID) -> None:
        intent = replace(
            house.sample, id=house.new_id(), serial=Serial.random(secrets.token_bytes), state=CertificateState.INTENT,
            der=None, sha256=None, issued_at=None, application=application, replaces=None, version=1,
            approval_digest=house.approval_of[application],
        )  # fmt: skip
        _two_transactions(house, intent, lambda: signer.sign(intent.tbs))

    return [partial(one, application) for application in applications]


def _lint(house: Installation, count: int) -> Sequence[Callable[[], object]]:
    """The same, over bytes that are composed anew, linted by the authority's rules and pkilint, and checked after."""
    applications = house.ready(count)

    def one(application: UUID) -> None:
        serial = Serial.random(secrets.token_bytes)
        content = compose(
            house.profile,
            issuer_certificate=house.issuer.certificate,
            signature_algorithm=house.signer.algorithm_identifier,
            subject=house.subject,
            public_key_info=house.public_key_info,
            serial=serial,
            now=datetime.now(UTC),
            urls=urls_of(house.issuer.key_identifier, base="http://127.0.0.1", partition=0),
        )
        intent = replace(
            house.sample, id=house.new_id(), serial=serial, state=CertificateState.INTENT, der=None, sha256=None,
            issued_at=None, application=application, replaces=None, version=1, tbs=content.linted.der,
            tbs_sha256=content.linted.sha256, approval_digest=house.approval_of[application],
        )  # fmt: skip
        _two_transactions(house, intent, lambda: sign_certificate(content.linted, house.signer))

    return [partial(one, application) for application in applications]


def _two_transactions(house: Installation, intent: Certificate, sign: Callable[[], object]) -> None:
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.certificates.add(intent)
    sign()
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        fingerprint = secrets.token_bytes(32)
        tx.certificates.replace(
            replace(intent, state=CertificateState.ISSUED, der=intent.tbs, sha256=fingerprint, issued_at=tx.now)
        )


def _issue(house: Installation, count: int) -> Sequence[Callable[[], object]]:
    """The whole service: rights, approvals, intent, lint, signature, records, notices, jobs."""
    issue = house.program.services.issuance.issue
    return [partial(issue, house.subscriber, application) for application in house.ready(count)]


def _http(house: Installation, count: int) -> Sequence[Callable[[], object]]:
    """The same through the API of a real server on this machine, one request after the other."""
    return [partial(house.post_issue, application) for application in house.ready(count)]
