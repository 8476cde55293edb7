"""What a status node does with a question that it has no answer to: it asks the core."""

from __future__ import annotations

import structlog

from ca_core.domain.errors import CaError, MalformedDer
from ca_core.x509.ocsp import OcspRequest, ResponseStatus
from ocsp.ready import ReadyAnswers
from ocsp.responder import REFUSALS, Answer
from pechatnik.node.core import Core
from pechatnik.node.freshness import Freshness

log = structlog.get_logger("node")


class ForwardingResponder:
    """The node has no key: a nonce, several certificates at once, an unknown serial and a certificate whose answer was
    just forgotten are the core's to answer. ``tryLater`` when it is out of reach."""

    def __init__(self, core: Core, ready: ReadyAnswers, freshness: Freshness) -> None:
        self._core = core
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
        try:
            return Answer(body=self._core.ocsp(request))
        except CaError as trouble:
            log.warning("the core does not answer a question about status", detail=trouble.detail)
            return REFUSALS[ResponseStatus.TRY_LATER]
