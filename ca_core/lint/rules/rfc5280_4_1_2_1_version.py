"""RFC 5280 §4.1.2.1: version 3, since there are extensions."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.tbs.version != 3:
        yield f"the version is {subject.tbs.version}, not 3"
