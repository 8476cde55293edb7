"""RFC 5280 §4.1.2.5: UTCTime through 2049 and GeneralizedTime after, and the end comes after the beginning."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import der


def check(subject: CertificateSubject) -> Iterable[str]:
    for what, moment, element in (
        ("notBefore", subject.not_before, subject.tbs.not_before),
        ("notAfter", subject.not_after, subject.tbs.not_after),
    ):
        if der.time(moment) != element.raw:
            yield f"{what} is written in the wrong type of time for its year"
    if subject.not_before >= subject.not_after:
        yield "the validity ends before it begins"
