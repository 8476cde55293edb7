"""RFC 5280 §5.2.5: critical, with HTTP addresses."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.extension_values import ISSUING_DISTRIBUTION_POINT
from ca_core.x509.general_name import check_uri


def check(subject: CrlSubject) -> Iterable[str]:
    extension = subject.extension(ISSUING_DISTRIBUTION_POINT)
    if extension is None:
        return
    if not extension.critical:
        yield "the issuing distribution point is not critical"
    urls = subject.crl.distribution_point_urls
    if not urls or any(not url.startswith("http://") or check_uri(url) for url in urls):
        yield "the issuing distribution point is not an HTTP address"
