"""RFC 5652 §11.1, §11.2: the signed attributes are about this TSTInfo; the time is told by it alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ca_core.lint.timestamp_subject import TimestampSubject
from ca_core.x509.signed_data import CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2
from ca_core.x509.tst_info import TST_INFO


def check(subject: TimestampSubject) -> Iterable[str]:
    if subject.attributes.values.keys() != {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2}:
        yield "the signed attributes are not contentType, messageDigest and signingCertificateV2"
    if subject.attributes.content_type != TST_INFO:
        yield "contentType is not id-ct-TSTInfo"
    if subject.attributes.message_digest != hashlib.new(subject.digest, subject.content).digest():
        yield "messageDigest is not the digest of the TSTInfo"
