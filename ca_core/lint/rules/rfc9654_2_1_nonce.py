"""RFC 9654 §2.1: a nonce of 1 to 128 octets, not critical."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.x509.ocsp import MAX_NONCE, NONCE


def check(subject: OcspSubject) -> Iterable[str]:
    nonce = subject.data.nonce
    if nonce is not None and not 1 <= len(nonce) <= MAX_NONCE:
        yield "the nonce has not between 1 and 128 octets"
    if any(extension.oid == NONCE and extension.critical for extension in subject.data.extensions):
        yield "the nonce is critical"
