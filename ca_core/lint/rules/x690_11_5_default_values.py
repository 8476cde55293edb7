"""X.690 §11.5: a value equal to its default, as critical FALSE, is not written."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.writes_default_critical:
        yield "an extension writes out critical FALSE"
