"""SIGKILL in the middle of issuance, at every step, with concurrent requests: nothing is lost, nothing done twice.

The parent loads everything once; each victim is a fork that opens the database anew, answers API requests in threads,
and kills itself when the chosen step is reached. What it acknowledged and what it signed goes to files that survive it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api import create_api
from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.certificate import CertificateState
from pechatnik.bootstrap import build
from pechatnik.config import load

STEPS = ("serial", "lint", "intent", "sign", "store")
KILLS = {"sqlite": 200, "postgresql": 60}
AT_ONCE = 4


class LoggedSigner:
    """The genuine signer; every use is written down before the signature comes back."""

    def __init__(self, signer: Any, log: Path) -> None:
        self._signer = signer
        self._log = log
        self.algorithm = signer.algorithm
        self.algorithm_identifier = signer.algorithm_identifier
        self.public_key_info = signer.public_key_info

    def sign(self, data: bytes) -> bytes:
        signature: bytes = self._signer.sign(data)
        append(self._log, hashlib.sha256(data).hexdigest())
        return signature


def append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode() + b"\n")
    os.close(descriptor)


def victim(home: Path, clock: Callable[[], Any], token: str, applications: list[UUID], step: str, after: int) -> None:
    """Answer one issue request for each application, all at once, and die at the n-th arrival at the step."""
    arrivals = itertools.count(1)

    def observe(reached: str) -> None:
        if reached == step and next(arrivals) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    program = build(load(home / "pechatnik.toml", {}), clock=clock, observe=observe)
    genuine = program.keys.signer
    program.keys.signer = lambda *args: LoggedSigner(genuine(*args), home / "signed")  # type: ignore[method-assign]
    api = create_api(program.services, crls=program.crls, version="test", max_upload=1 << 20)

    def ask(application: UUID) -> None:
        version = program.services.intake.get(SYSTEM_ACTOR, application).application.version
        answer = api.test_client().post(
            f"/api/v1/applications/{application}/issue",
            headers={
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": f"{application}-{random.random()}",
                "If-Match": f'"{version}"',
            },
        )
        if answer.status_code == 200:
            append(home / "acknowledged", answer.json["serial"])

    threads = [threading.Thread(target=ask, args=(one,)) for one in applications]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)


@pytest.mark.timeout(900)
def test_invariant_3_and_15_kills_at_every_step_lose_nothing_and_repeat_nothing(
    house: Any, clock: Any, tmp_path: Path
) -> None:
    program = house.program
    dialect = program.engine.dialect.name
    _, token = house.services.tokens.create(
        house.subscriber, label="load", scopes=house.subscriber.permissions, days=30
    )
    house.issued()  # everything that is imported on first use is imported now
    pool: list[UUID] = []
    chance = random.Random(20260)
    killed = Counter[str]()
    for number in itertools.count():
        if sum(killed.values()) >= KILLS[dialect]:
            break
        while len(pool) < AT_ONCE:
            pool.append(house.ready().id)
        program.engine.dispose()
        step, after = STEPS[number % len(STEPS)], chance.randint(1, AT_ONCE)
        child = os.fork()
        if child == 0:
            victim(tmp_path, clock, token, pool[:AT_ONCE], step, after)
        _, outcome = os.waitpid(child, 0)
        killed[step] += os.WIFSIGNALED(outcome)
        # Past the time after which an intent has no signer any more; also past the life of idempotency records' locks.
        clock.advance(timedelta(minutes=3))
        house.services.reconciliation.tick()
        with program.transactions.read(SYSTEM_ACTOR) as tx:
            pool = [one for one in pool if tx.applications.get(one, seen_by=EVERYTHING).certificate is None]
    assert set(killed) == set(STEPS)

    for application in pool:
        house.services.issuance.issue(house.subscriber, application)
    with program.transactions.read(SYSTEM_ACTOR) as tx:
        rows = [tx.certificates.get(one, seen_by=EVERYTHING) for one in tx.certificates.all_ids()]
    serials = Counter(row.serial.value for row in rows)
    assert max(serials.values()) == 1, "no serial twice"
    signed = Counter((tmp_path / "signed").read_text().split())
    assert max(signed.values()) == 1, "no intent is signed twice"
    assert signed.keys() <= {row.tbs_sha256.hex() for row in rows}, "no signature without a record"
    issued = {row.serial.hex for row in rows if row.state is CertificateState.ISSUED}
    assert set((tmp_path / "acknowledged").read_text().split()) <= issued, "what was acknowledged stays"
    assert not [row for row in rows if row.state is CertificateState.INTENT], "every outcome is settled"
    per_application = Counter(
        row.application for row in rows if row.state is CertificateState.ISSUED and row.application
    )
    assert max(per_application.values()) == 1
    house.services.audit.seal(SYSTEM_ACTOR)
    assert house.services.audit.verify(SYSTEM_ACTOR).ok
