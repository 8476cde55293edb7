"""The running program: what the wiring joined, and what a process does with it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Actor
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.application import ApplicationState
from ca_core.domain.authority import Authority
from ca_core.keys.vault_key import SymmetricKeyStore
from ca_core.services.jobs import Worker
from ca_core.services.ports import Clock, KeyStore, Transaction
from ca_core.services.suite import Services
from ca_core.storage import schema
from ca_core.storage.engine import clock_of
from ca_core.storage.refusals import translated
from ca_core.storage.repositories.counters import next_value
from ca_core.storage.transactions import Transactions
from crl.office import CrlOffice
from ocsp.answers import AnswerStore
from ocsp.feed import StatusFeed
from ocsp.presigning import Presigner
from ocsp.ready import ReadyAnswers
from ocsp.responder import Responder
from pechatnik.config import Config
from pechatnik.rounds import Rounds


@dataclass(frozen=True, kw_only=True)
class Program:
    """Everything wired up, for one process."""

    config: Config
    engine: Engine
    transactions: Transactions
    keys: KeyStore
    services: Services
    crls: CrlOffice
    ocsp: Responder
    ready: ReadyAnswers | None
    """None where no answers are signed before they are asked for."""
    answers: AnswerStore
    feed: StatusFeed
    presigner: Presigner
    worker: Worker
    rounds: Rounds
    symmetric: SymmetricKeyStore
    clock: Clock
    owner: Actor = SYSTEM_ACTOR
    """Whoever owns the machine and the configuration (docs/adr/0007-machine-owner.md)."""

    def initialise(
        self,
        actor: Actor,
        *,
        organization: str,
        country: str,
        root_algorithm: KeyAlgorithm,
        issuing_algorithm: KeyAlgorithm,
        responder_algorithm: KeyAlgorithm,
        partitions: int,
    ) -> Sequence[Authority]:
        """Make root, issuing authority and responder, and publish their first CRLs."""
        made = self.services.authorities.initialise(
            actor,
            organization=organization,
            country=country,
            root_algorithm=root_algorithm,
            issuing_algorithm=issuing_algorithm,
            responder_algorithm=responder_algorithm,
            partitions=partitions,
        )
        for name in ("root", "issuing"):
            self.crls.issue(actor, name)
        return made

    def work(self, *, once: bool) -> int:
        """Run jobs and rounds: until interrupted, or once through what is due; returns how many were done."""
        if once:
            return self.rounds.run_due() + self.worker.run_once()
        self.run_worker(threading.Event())
        return 0

    def run_worker(self, stop: threading.Event) -> None:
        """Run jobs and rounds until told to stop."""
        timer = threading.Thread(target=self.rounds.run, args=(stop,), name="rounds", daemon=True)
        timer.start()
        self.worker.run(stop)
        timer.join(timeout=10)

    def site_key(self) -> bytes:
        """Secret from which form tokens are made."""
        return self.symmetric.current("site")[1]

    def schema_differences(self) -> Sequence[str]:
        return schema.check(self.engine)

    def database_clock(self) -> datetime:
        """What the database takes for the present."""
        return clock_of(self.engine)

    def write(self) -> None:
        """Commit something, as every change has to; TryAgain while the database takes nothing."""
        with translated(), self.engine.begin() as connection:
            next_value(connection, "readiness")

    def free_space(self) -> int:
        """Octets left where the database (an embedded one) and the documents are, whichever has less."""
        places = [self.config.data]
        if self.engine.dialect.name == "sqlite":
            places.append(Path(self.engine.url.database or "").absolute().parent)
        return min(shutil.disk_usage(place).free for place in places)

    def counts(self, tx: Transaction) -> Mapping[str, Mapping[str, int]]:
        """How many there are of each kind, by state, for the metrics."""
        states = {state.value: tx.applications.count(seen_by=EVERYTHING, states=(state,)) for state in ApplicationState}
        return {"applications": states}

    def close(self) -> None:
        self.engine.dispose()
