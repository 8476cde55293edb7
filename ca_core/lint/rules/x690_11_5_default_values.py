"""X.690 §11.5: a value equal to its default is not written."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.extension_values import BASIC_CONSTRAINTS


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.writes_default_critical:
        yield "an extension writes out critical FALSE"
    constraints = subject.extension(BASIC_CONSTRAINTS)
    if constraints is not None and constraints.value.startswith(b"\x01\x01\x00", 2):
        yield "the basic constraints write out cA FALSE"
