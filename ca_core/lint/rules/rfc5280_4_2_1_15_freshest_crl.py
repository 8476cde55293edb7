"""RFC 5280 §4.2.1.15: not critical, HTTP addresses only, no reasons and no other CRL issuer."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.general_name import check_uri


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.FRESHEST_CRL)
    if extension is None:
        return
    if extension.critical:
        yield "freshestCRL is critical"
    for url in extension_values.crl_distribution_points(extension.value):
        if not url.startswith("http://") or check_uri(url):
            yield "freshestCRL is not an HTTP address"
