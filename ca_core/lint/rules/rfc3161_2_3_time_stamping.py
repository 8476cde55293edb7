"""RFC 3161 §2.3: time-stamping is critical and the only purpose, of a key that signs and does nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.key_usage import TIME_STAMPING


def check(subject: CertificateSubject) -> Iterable[str]:
    if TIME_STAMPING not in subject.purposes:
        return
    if len(subject.purposes) > 1:
        yield "a time-stamping authority has other purposes too"
    purposes = subject.extension(extension_values.EXTENDED_KEY_USAGE)
    if purposes is not None and not purposes.critical:
        yield "a time-stamping authority's purpose is not critical"
    if subject.is_ca:
        yield "a CA has the purpose timeStamping"
    if not subject.key_usage or subject.key_usage - {"digitalSignature", "nonRepudiation"}:
        yield "a time-stamping authority's key usage is other than digitalSignature and nonRepudiation"
