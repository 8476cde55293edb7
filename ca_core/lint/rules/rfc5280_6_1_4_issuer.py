"""RFC 5280 §6.1.4 (k), (n): only a CA whose key may sign certificates issues one."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    issuer = subject.issuer
    if issuer is None:
        return
    if not issuer.is_ca:
        yield "the issuer is not a CA"
    if issuer.key_usage is not None and "keyCertSign" not in issuer.key_usage:
        yield "the issuer's key may not sign certificates"
    if issuer.subject_key_identifier is None:
        yield "the issuer has no subject key identifier"
