"""X.509 §9.2.2.5: the private key's time begins before it ends and lies within the certificate's."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.extension_values import PRIVATE_KEY_USAGE_PERIOD, private_key_usage_period


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(PRIVATE_KEY_USAGE_PERIOD)
    if extension is None:
        return
    if extension.critical:
        yield "the private key usage period is critical"
    begin, end = private_key_usage_period(extension.value)
    begin, end = begin or subject.not_before, end or subject.not_after
    if not subject.not_before <= begin < end <= subject.not_after:
        yield "the private key usage period is not a part of the certificate's validity"
