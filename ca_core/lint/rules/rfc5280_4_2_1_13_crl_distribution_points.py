"""RFC 5280 §4.2.1.13: not critical, HTTP addresses only, no reasons and no other CRL issuer."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.general_name import check_uri


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        return
    if extension.critical:
        yield "the CRL distribution points are critical"
    for url in extension_values.crl_distribution_points(extension.value):
        # HTTPS would need a certificate whose status is asked for here (RFC 5280 §8).
        if not url.startswith("http://") or check_uri(url):
            yield "a CRL distribution point is not an HTTP address"
