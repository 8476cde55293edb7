"""A time-stamp token under lint."""

from __future__ import annotations

from ca_core.lint.context import TimestampLintContext
from ca_core.x509.signed_data import SignedAttributes
from ca_core.x509.tst_info import TstInfo


class TimestampSubject:
    """Signed attributes and TSTInfo that were read, what was asked for and who signs. :class:`MalformedDer` for bytes
    that are none."""

    def __init__(self, attributes: bytes, content: bytes, context: TimestampLintContext) -> None:
        self.attributes = SignedAttributes.parse(attributes)
        self.content = content
        self.info = TstInfo.parse(content)
        self.request = context.request
        self.tsa = context.tsa
        self.digest = context.digest
        self.signature_algorithm = context.signature_algorithm
