"""An OCSP answer under lint."""

from __future__ import annotations

from ca_core.lint.context import OcspLintContext
from ca_core.x509.ocsp_answer import ResponseData


class OcspSubject:
    """ResponseData that was read, the CA it speaks for and who signs. :class:`MalformedDer` for bytes that are none."""

    def __init__(self, data: bytes, context: OcspLintContext) -> None:
        self.data = ResponseData.parse(data)
        self.issuer = context.issuer
        self.responder = context.responder
        self.signature_algorithm = context.signature_algorithm
