"""RFC 5280 §5.2.3: there, and not critical."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.extension_values import CRL_NUMBER


def check(subject: CrlSubject) -> Iterable[str]:
    extension = subject.extension(CRL_NUMBER)
    if extension is None:
        yield "there is no CRL number"
    elif extension.critical:
        yield "the CRL number is critical"
