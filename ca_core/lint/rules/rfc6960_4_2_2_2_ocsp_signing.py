"""RFC 6960 §4.2.2.2: a delegated responder signs answers, is nobody else, and its own status is not asked for."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.der import NULL
from ca_core.x509.key_usage import OCSP_SIGNING


def check(subject: CertificateSubject) -> Iterable[str]:
    nocheck = subject.extension(extension_values.OCSP_NOCHECK)
    if OCSP_SIGNING not in subject.purposes:
        if nocheck is not None:
            yield "ocsp-nocheck stands in a certificate that does not sign OCSP answers"
        return
    if subject.is_ca:
        yield "a CA has the purpose OCSPSigning"
    if len(subject.purposes) > 1:
        yield "an OCSP responder has other purposes too"
    if "digitalSignature" not in subject.key_usage:
        yield "an OCSP responder's key usage lacks digitalSignature"
    if nocheck is None:
        yield "an OCSP responder lacks ocsp-nocheck (RFC 6960 section 4.2.2.2.1)"
    elif nocheck.critical or nocheck.value != NULL:
        yield "ocsp-nocheck is critical or not NULL"
