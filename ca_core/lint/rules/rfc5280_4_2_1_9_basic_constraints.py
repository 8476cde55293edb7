"""RFC 5280 §4.2.1.9: a CA says so critically, and stays within the path length of its issuer."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.BASIC_CONSTRAINTS)
    if extension is None:
        return
    ca, path_length = extension_values.basic_constraints(extension.value)
    if ca and not extension.critical:
        yield "a CA's basic constraints are not critical"
    if not ca and path_length is not None:
        yield "there is a path length, but no CA"
    if path_length is not None and path_length < 0:
        yield "the path length is negative"
    limit = None if subject.issuer is None else subject.issuer.path_length
    if ca and limit is not None and (path_length is None or path_length >= limit):
        yield "the issuer's path length leaves no room for this CA"
