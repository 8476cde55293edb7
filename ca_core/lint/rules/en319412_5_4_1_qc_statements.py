"""ETSI EN 319 412-5 §4.1, RFC 3739 §3.2.6: not critical, each statement once."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.der_reader import decode
from ca_core.x509.extension_values import QC_STATEMENTS


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(QC_STATEMENTS)
    if extension is None:
        return
    if extension.critical:
        yield "the QC statements are critical"
    statements = decode(extension.value).sequence("the QC statements", least=1)
    oids = [statement.sequence("a QC statement", least=1, most=2)[0].oid("a QC statement") for statement in statements]
    if len(set(oids)) != len(oids):
        yield "a QC statement appears twice"
