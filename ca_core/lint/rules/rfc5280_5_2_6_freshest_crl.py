"""RFC 5280 §5.2.6: not critical, HTTP addresses only, and in no delta."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.extension_values import FRESHEST_CRL
from ca_core.x509.general_name import check_uri


def check(subject: CrlSubject) -> Iterable[str]:
    extension = subject.extension(FRESHEST_CRL)
    if extension is None:
        return
    if extension.critical:
        yield "freshestCRL is critical"
    if subject.crl.delta_base is not None:
        yield "freshestCRL stands in a delta"
    if any(not url.startswith("http://") or check_uri(url) for url in subject.crl.freshest_urls):
        yield "freshestCRL is not an HTTP address"
