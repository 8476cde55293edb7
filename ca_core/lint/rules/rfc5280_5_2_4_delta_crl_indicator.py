"""RFC 5280 §5.2.4: critical, and based on an earlier list."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.extension_values import DELTA_CRL_INDICATOR


def check(subject: CrlSubject) -> Iterable[str]:
    extension = subject.extension(DELTA_CRL_INDICATOR)
    if extension is None:
        return
    if not extension.critical:
        yield "the delta CRL indicator is not critical"
    if subject.crl.number is None or subject.crl.delta_base is None or subject.crl.delta_base >= subject.crl.number:
        yield "the delta does not build on an earlier list"
