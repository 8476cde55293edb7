"""RFC 5280 §4.1.2.8: no unique identifiers."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.tbs.unique_identifiers:
        yield "there is an issuer or subject unique identifier"
