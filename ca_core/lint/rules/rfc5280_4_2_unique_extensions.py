"""RFC 5280 §4.2: each extension at most once."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject


def check(subject: CertificateSubject) -> Iterable[str]:
    oids = [extension.oid for extension in subject.extensions]
    for oid in sorted({oid for oid in oids if oids.count(oid) > 1}):
        yield f"the extension {oid} appears more than once"
