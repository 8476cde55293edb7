"""RFC 5280 §4.1.2.4, §6.1.3 (a)(4): the issuer's name, byte for byte the subject of the issuer's certificate."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    if not subject.tbs.issuer.members:
        yield "the issuer's name is empty"
    expected = subject.tbs.subject.raw if subject.issuer is None else subject.issuer.subject
    if subject.tbs.issuer.raw != expected:
        yield "the issuer's name differs from the subject of the issuer's certificate"
