"""A time-stamping authority, and whoever asks it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR, Actor
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import Authority
from ca_core.services.timestamping import Asked, Terms, Timestamping
from ca_core.x509.signed_data import SignedMessage
from ca_core.x509.timestamp import MessageImprint, TimestampRequest
from ca_core.x509.tst_info import TstInfo

CONTENT = b"a document"


def request_for(content: bytes = CONTENT, algorithm: str = "sha256", **asked: Any) -> TimestampRequest:
    return TimestampRequest(MessageImprint.make(algorithm, hashlib.new(algorithm, content).digest()), **asked)


def info_of(token: bytes) -> TstInfo:
    return TstInfo.parse(SignedMessage.parse(token).content)


@dataclass
class Office:
    """The authority of a house. The test's clock differs from the database's, so clocks may disagree by an hour."""

    house: Any
    clock: Any
    tsa: Authority
    services: dict[Terms, Timestamping] = field(default_factory=dict)

    def service(self, **terms: Any) -> Timestamping:
        program = self.house.program
        chosen = Terms(**{"accuracy": timedelta(hours=1), **terms})
        if chosen not in self.services:
            self.services[chosen] = Timestamping(
                program.transactions,
                program.services.profiles,
                program.keys,
                terms=chosen,
                clock=self.clock,
                entropy=secrets.token_bytes,
            )
        return self.services[chosen]

    def stamp(self, request: TimestampRequest | None = None, actor: Actor = SYSTEM_ACTOR, **terms: Any) -> bytes:
        return self.service(**terms).stamp(actor, request or request_for())

    def stamp_all(self, count: int, actor: Actor = SYSTEM_ACTOR, **terms: Any) -> list[Any]:
        asked = [Asked(actor=actor, request=request_for(b"%d" % number)) for number in range(count)]
        return list(self.service(**terms).stamp_all(asked))

    def rows(self) -> list[Any]:
        """The whole archive, oldest first."""
        with self.house.program.transactions.read(SYSTEM_ACTOR) as tx:
            return list(tx.timestamps.between(1, 1 << 40))

    def faults(self) -> Any:
        return self.house.services.audit.verify(self.house.auditor).faults


@pytest.fixture
def make_tsa(house: Any) -> Callable[..., Authority]:
    def make(**options: Any) -> Authority:
        made = house.services.time_stamping_units.make(
            SYSTEM_ACTOR, "issuing", **{"algorithm": KeyAlgorithm.EC_P256, **options}
        )
        assert made is not None
        return made

    return make


@pytest.fixture
def office(house: Any, clock: Any, make_tsa: Callable[..., Authority]) -> Office:
    return Office(house, clock, make_tsa())
