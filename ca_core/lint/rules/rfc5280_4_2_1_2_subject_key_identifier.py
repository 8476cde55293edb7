"""RFC 5280 §4.2.1.2: not critical, SHA-1 over the key by method (1); a CA has one."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.algorithm import public_key_identifier


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.SUBJECT_KEY_IDENTIFIER)
    if extension is None:
        if subject.is_ca:
            yield "a CA has no subject key identifier"
        return
    if extension.critical:
        yield "the subject key identifier is critical"
    expected = public_key_identifier(subject.tbs.public_key_info.raw)
    if extension_values.subject_key_identifier(extension.value) != expected:
        yield "the subject key identifier was not made from this key"
