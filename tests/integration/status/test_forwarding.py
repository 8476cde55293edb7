"""A status node whose core is silent says so at once, and keeps its threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ca_core.outbound.guarded_client import GuardedClient
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, ResponseStatus, ocsp_request
from ocsp.ready import ReadyAnswers
from ocsp.replica import Replica
from ocsp.responder import REFUSALS
from pechatnik.node.core import Core
from pechatnik.node.forwarding import AT_ONCE, PAUSE, ForwardingResponder
from pechatnik.node.freshness import Freshness

LATER = REFUSALS[ResponseStatus.TRY_LATER]


@dataclass
class Silent:
    """Takes connections, and says nothing until it is let."""

    listening: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def take(self) -> None:
        while True:
            try:
                self.taken.append(self.listening.accept()[0])
            except OSError:
                return


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Silent(listening)
        thread = threading.Thread(target=made.take, daemon=True)
        thread.start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in made.taken:
            one.close()


@pytest.fixture
def asked(world: Any) -> bytes:
    """A request that no answer stands ready to."""
    issuer = SignedCertificate.parse(world.issuing.certificate)
    cert_id = CertId.make(issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=12345)
    return ocsp_request([cert_id])


@dataclass
class Node:
    """Of a silent core."""

    responder: ForwardingResponder
    now: float = 0.0


def node(silent: Silent, place: Path, *, seconds: float) -> Node:
    replica = Replica(place, boot="only")
    made: Node
    made = Node(
        ForwardingResponder(
            Core(silent.url, GuardedClient([silent.url], seconds=seconds), token=lambda: b"none"),
            ReadyAnswers(replica, max_age=timedelta(hours=1), clock=lambda: 0.0),
            Freshness(replica, lag=timedelta(seconds=30), uptime=lambda: made.now),
            uptime=lambda: made.now,
        )
    )
    return made


def test_a_core_that_did_not_answer_is_not_asked_again_for_a_while(
    silent: Silent, asked: bytes, tmp_path: Path
) -> None:
    here = node(silent, tmp_path, seconds=0.05)
    assert here.responder.answer(asked) is LATER
    tried = len(silent.taken)
    assert tried > 0
    assert here.responder.answer(asked) is LATER
    assert len(silent.taken) == tried
    here.now += PAUSE
    assert here.responder.answer(asked) is LATER
    assert len(silent.taken) > tried


def test_only_so_many_wait_for_it(silent: Silent, asked: bytes, tmp_path: Path) -> None:
    here = node(silent, tmp_path, seconds=60)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(here.responder.answer, asked) for _ in range(AT_ONCE)]
        while len(silent.taken) < AT_ONCE:
            pass
        assert here.responder.answer(asked) is LATER
        assert not any(one.done() for one in waiting)
        for one in silent.taken:
            one.shutdown(socket.SHUT_RDWR)
        assert [one.result() for one in waiting] == [LATER] * AT_ONCE
