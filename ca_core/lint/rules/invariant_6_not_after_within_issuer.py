"""Invariant 6: a certificate never outlives its issuer's."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    if subject.issuer is not None and subject.not_after > subject.issuer.not_after:
        yield "notAfter is later than the issuer's notAfter"
