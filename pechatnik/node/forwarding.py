"""What a status node does with a question that it has no answer to: it asks the core."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from ca_core.domain.errors import CaError, MalformedDer
from ca_core.x509.ocsp import OcspRequest, ResponseStatus
from ocsp.ready import ReadyAnswers
from ocsp.responder import REFUSALS, Answer
from pechatnik.node.core import Core
from pechatnik.node.freshness import Freshness

THREADS = 16
"""Of a node's process for all that does not stand ready."""
AT_ONCE = 12
"""Questions of a process that wait for the core; the other threads are for lists and health."""
PAUSE = 2.0
"""Seconds in which a core that did not answer is not asked again."""

log = structlog.get_logger("node")


class ForwardingResponder:
    """The node has no key: a nonce, several certificates at once, an unknown serial and a certificate whose answer was
    just forgotten are the core's to answer. ``tryLater`` when it is out of reach."""

    def __init__(self, core: Core, ready: ReadyAnswers, freshness: Freshness, *, uptime: Callable[[], float]) -> None:
        """``uptime`` in seconds."""
        self._core = core
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._uptime = uptime
        self._silent_until = float("-inf")
        self._ready = ready
        self._freshness = freshness

    def answer(self, request: bytes) -> Answer:
        """To a DER OCSPRequest the answer that stands ready after all, since a body that came behind its head was not
        looked up yet; otherwise the core's. Nobody is told to keep it."""
        found = self._ready.answer(request) if self._freshness.holds() else None
        if found is not None:
            return Answer(body=found.body)
        try:
            OcspRequest.parse(request)
        except MalformedDer:
            return REFUSALS[ResponseStatus.MALFORMED_REQUEST]
        # Whoever waits for a silent core holds a thread that lists and health need.
        if self._uptime() < self._silent_until or not self._places.acquire(blocking=False):
            return REFUSALS[ResponseStatus.TRY_LATER]
        try:
            return Answer(body=self._core.ocsp(request))
        except CaError as trouble:
            self._silent_until = self._uptime() + PAUSE
            log.warning("the core does not answer a question about status", detail=trouble.detail)
            return REFUSALS[ResponseStatus.TRY_LATER]
        finally:
            self._places.release()
