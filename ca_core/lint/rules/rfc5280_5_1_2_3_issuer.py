"""RFC 5280 §5.1.2.3, §6.3.3 (f): the issuer's name byte for byte, and a key that may sign CRLs."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.crl_subject import CrlSubject


def check(subject: CrlSubject) -> Iterable[str]:
    if subject.crl.issuer != subject.issuer.subject:
        yield "the issuer's name differs from the subject of the issuer's certificate"
    if subject.issuer.key_usage is not None and "cRLSign" not in subject.issuer.key_usage:
        yield "the issuer's key may not sign CRLs"
