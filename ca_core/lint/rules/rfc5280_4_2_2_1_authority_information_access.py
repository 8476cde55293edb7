"""RFC 5280 §4.2.2.1: not critical, known methods, HTTP addresses only."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.general_name import check_uri

_METHODS = frozenset({"1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"})


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.AUTHORITY_INFORMATION_ACCESS)
    if extension is None:
        return
    if extension.critical:
        yield "the authority information access is critical"
    for method, url in extension_values.authority_information_access(extension.value):
        if method not in _METHODS:
            yield "an access method is neither OCSP nor caIssuers"
        # HTTPS would need a certificate whose status is asked for here (RFC 5280 §8).
        if not url.startswith("http://") or check_uri(url):
            yield "an access location is not an HTTP address"
