"""RFC 5280 §4.1.2.6: a CA has a name, and whoever has none has a critical subject alternative name."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.extension_values import SUBJECT_ALTERNATIVE_NAME


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.subject.attributes:
        return
    if subject.is_ca:
        yield "a CA's subject name is empty"
    names = subject.extension(SUBJECT_ALTERNATIVE_NAME)
    if names is None or not names.critical:
        yield "the subject name is empty and no critical subject alternative name stands in for it"
