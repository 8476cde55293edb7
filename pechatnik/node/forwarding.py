"""What a status node does with a question that it has no answer to: it asks the core."""

from __future__ import annotations

import structlog

from ca_core.domain.errors import CaError, MalformedDer
from ca_core.x509.ocsp import OcspRequest, ResponseStatus
from ocsp.responder import REFUSALS, Answer
from pechatnik.node.core import Core

log = structlog.get_logger("node")


class ForwardingResponder:
    """The node has no key: a nonce, several certificates at once, an unknown serial and a certificate whose answer was
    just forgotten are the core's to answer. ``tryLater`` when it is out of reach."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def answer(self, request: bytes) -> Answer:
        """The core's answer to a DER OCSPRequest, which nobody is told to keep."""
        try:
            OcspRequest.parse(request)
        except MalformedDer:
            return REFUSALS[ResponseStatus.MALFORMED_REQUEST]
        try:
            return Answer(body=self._core.ocsp(request))
        except CaError as trouble:
            log.warning("the core does not answer a question about status", detail=trouble.detail)
            return REFUSALS[ResponseStatus.TRY_LATER]
