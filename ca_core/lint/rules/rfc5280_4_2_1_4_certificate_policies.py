"""RFC 5280 §4.2.1.4: each policy at most once."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.CERTIFICATE_POLICIES)
    if extension is not None:
        policies = extension_values.certificate_policies(extension.value)
        if len(set(policies)) != len(policies):
            yield "a certificate policy appears twice"
