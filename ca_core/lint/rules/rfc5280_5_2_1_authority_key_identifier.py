"""RFC 5280 §5.2.1: there, not critical, and the issuer's subject key identifier."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509.extension_values import AUTHORITY_KEY_IDENTIFIER


def check(subject: CrlSubject) -> Iterable[str]:
    extension = subject.extension(AUTHORITY_KEY_IDENTIFIER)
    if extension is None or extension.critical:
        yield "the authority key identifier is missing or critical"
    if subject.crl.authority_key_identifier != subject.issuer.subject_key_identifier:
        yield "the authority key identifier is not the issuer's subject key identifier"
