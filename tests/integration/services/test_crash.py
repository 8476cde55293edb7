"""SIGKILL in the middle of issuance, at every step, with concurrent requests: nothing is lost, nothing done twice.

The parent loads everything once; each victim is a fork that opens the database anew, answers API requests in threads,
and kills itself when the chosen step is reached. What it acknowledged and what it signed goes to files that survive it.
The clients outlive it too: each sends its very request again under its key, and takes a new key only when it is told
that the first request was cut off and finds nothing issued.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api import create_api
from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.certificate import CertificateState
from pechatnik.bootstrap import Program, build
from pechatnik.config import load

STEPS = ("serial", "lint", "intent", "sign", "store")
KILLS = 200
AT_ONCE = {"sqlite": 4, "postgresql": 2}
WHILE_WORKED_ON, CUT_OFF = timedelta(minutes=3), timedelta(minutes=3)
"""After the first an intent has no signer any more; after both a request without an answer counts as cut off."""


class LoggedSigner:
    """The genuine signer; every use is written down before the signature comes back."""

    def __init__(self, signer: Any, log: Path) -> None:
        self._signer = signer
        self._log = log
        self.algorithm = signer.algorithm
        self.algorithm_identifier = signer.algorithm_identifier
        self.parallel = signer.parallel
        self.public_key_info = signer.public_key_info

    def sign(self, data: bytes) -> bytes:
        signature: bytes = self._signer.sign(data)
        append(self._log, hashlib.sha256(data).hexdigest())
        return signature


class Client:
    """Asks for the certificate of one application; what it sends is on disk, so a fork goes on where another died."""

    def __init__(self, home: Path, token: str, application: UUID) -> None:
        self._sent = home / f"{application}.request"
        self._acknowledged = home / "acknowledged"
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._path = f"/api/v1/applications/{application}"

    def ask(self, api: Flask) -> int:
        """Send the request, the same as before if there was one; the status of the answer."""
        if not self._sent.exists():
            self._draw_request(api)
        answer = self._post(api)
        if answer.status_code == 409:
            assert answer.json["code"] == "conflict", answer.text
            if self._look(api)["certificate"] is not None:
                return 200
            self._draw_request(api)
            answer = self._post(api)
        if answer.status_code == 200:
            append(self._acknowledged, answer.json["serial"])
        else:
            assert answer.status_code == 503, answer.text
            assert answer.headers["Retry-After"]
        return answer.status_code

    def _look(self, api: Flask) -> Any:
        return api.test_client().get(self._path, headers=self._authorization).json

    def _draw_request(self, api: Flask) -> None:
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": f'"{self._look(api)["version"]}"'}
        whole = self._sent.with_suffix(".new")
        whole.write_text(json.dumps(headers))
        whole.replace(self._sent)

    def _post(self, api: Flask) -> TestResponse:
        sent = json.loads(self._sent.read_text())
        return api.test_client().post(f"{self._path}/issue", headers={**self._authorization, **sent})


def append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode() + b"\n")
    os.close(descriptor)


def api_of(program: Program) -> Flask:
    return create_api(program.services, crls=program.crls, feed=program.feed, version="test", max_upload=1 << 20)


def victim(home: Path, clock: Callable[[], Any], clients: list[Client], step: str, after: int) -> None:
    """Answer one issue request for each client, all at once, and die at the n-th arrival at the step."""
    arrivals = itertools.count(1)

    def observe(reached: str) -> None:
        if reached == step and next(arrivals) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    program = build(load(home / "pechatnik.toml", {}), clock=clock, observe=observe)
    genuine = program.keys.signer
    program.keys.signer = lambda *args: LoggedSigner(genuine(*args), home / "signed")  # type: ignore[method-assign]
    api = api_of(program)
    with ThreadPoolExecutor(len(clients)) as threads:
        list(threads.map(lambda client: client.ask(api), clients))


@pytest.mark.timeout(900)
def test_invariant_3_and_15_kills_at_every_step_lose_nothing_and_repeat_nothing(
    house: Any, clock: Any, tmp_path: Path
) -> None:
    program = house.program
    at_once = AT_ONCE[program.engine.dialect.name]
    _, token = house.services.tokens.create(
        house.subscriber, label="load", scopes=house.subscriber.permissions, days=30
    )
    house.issued()  # everything that is imported on first use is imported now
    api = api_of(program)
    pool: dict[UUID, Client] = {}
    chance = random.Random(20260)
    killed, answers = Counter[str](), Counter[int]()
    for number in itertools.count():
        if killed.total() == KILLS:
            break
        while len(pool) < at_once:
            application = house.ready().id
            pool[application] = Client(tmp_path, token, application)
        program.engine.dispose()
        step = STEPS[number % len(STEPS)]
        # All steps but the signature are taken together: alone by the first who comes, then by those behind him.
        after = chance.randint(1, at_once if step == "sign" else min(2, at_once - 1))
        child = os.fork()
        if child == 0:
            try:
                victim(tmp_path, clock, list(pool.values()), step, after)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, outcome = os.waitpid(child, 0)
        assert outcome in (0, signal.SIGKILL), "it ends by its own hand or by the kill"
        killed[step] += outcome == signal.SIGKILL
        clock.advance(WHILE_WORKED_ON)
        house.services.reconciliation.tick()
        for client in pool.values():
            answers[client.ask(api)] += 1
        clock.advance(CUT_OFF)
        with program.transactions.read(SYSTEM_ACTOR) as tx:
            for one in list(pool):
                if tx.applications.get(one, seen_by=EVERYTHING).certificate is not None:
                    del pool[one]
    assert set(killed) == set(STEPS)
    assert set(answers) == {200, 503}, "some were answered again, some were still being worked on"

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
