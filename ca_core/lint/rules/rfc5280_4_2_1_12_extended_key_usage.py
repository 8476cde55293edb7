"""RFC 5280 §4.2.1.12: each purpose once; "any purpose" is never certified."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.key_usage import ANY_PURPOSE


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.EXTENDED_KEY_USAGE)
    if extension is None:
        return
    purposes = extension_values.extended_key_usage(extension.value)
    if len(set(purposes)) != len(purposes):
        yield "a key purpose appears twice"
    if ANY_PURPOSE in purposes:
        yield "anyExtendedKeyUsage is among the purposes"
