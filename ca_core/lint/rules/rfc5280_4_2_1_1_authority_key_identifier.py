"""RFC 5280 §4.2.1.1: not critical, and the issuer's subject key identifier."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.algorithm import public_key_identifier


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.AUTHORITY_KEY_IDENTIFIER)
    if extension is None:
        # Only a self-signed certificate may leave it out.
        if subject.issuer is not None:
            yield "there is no authority key identifier"
        return
    if extension.critical:
        yield "the authority key identifier is critical"
    if subject.issuer is None:
        expected: bytes | None = public_key_identifier(subject.tbs.public_key_info.raw)
    else:
        expected = subject.issuer.subject_key_identifier
    if extension_values.authority_key_identifier(extension.value) != expected:
        yield "the authority key identifier is not the issuer's subject key identifier"
