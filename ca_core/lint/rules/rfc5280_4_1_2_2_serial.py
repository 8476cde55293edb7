"""RFC 5280 §4.1.2.2: a positive serial number of at most 20 octets."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    content = subject.tbs.serial.content
    if len(content) > 20:
        yield "the serial number is longer than 20 octets"
    if content[0] & 0x80 or content == b"\x00":
        yield "the serial number is not positive"
