"""RFC 5280 §4.1.2.7, invariant 5: a well-formed key of a kind that is certified, without a known weakness of form."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.algorithm import key_algorithm_of


def check(subject: CertificateSubject) -> Iterable[str]:
    # What is wrong with the key is what this raises; the caller makes it this rule's finding.
    key_algorithm_of(subject.tbs.public_key_info.raw)
    return ()
