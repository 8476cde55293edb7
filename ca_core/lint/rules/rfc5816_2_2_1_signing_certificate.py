"""RFC 5816 §2.2.1: signingCertificateV2 names the certificate of the key that signs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ca_core.lint.timestamp_subject import TimestampSubject


def check(subject: TimestampSubject) -> Iterable[str]:
    named = subject.attributes.certificate_digest
    if named is None or named[1] != hashlib.new(named[0], subject.tsa.der).digest():
        yield "signingCertificateV2 does not name the authority's certificate"
