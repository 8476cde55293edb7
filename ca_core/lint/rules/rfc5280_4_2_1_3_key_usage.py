"""RFC 5280 §4.2.1.3: usages that the key can have, and certificate signing exactly for CAs."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509 import extension_values
from ca_core.x509.key_usage import usages_of


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(extension_values.KEY_USAGE)
    if extension is None:
        if subject.is_ca:
            yield "a CA has no key usage"
        return
    usages = extension_values.key_usage(extension.value)
    if not usages:
        yield "the key usage names no usage"
    if ("keyCertSign" in usages) != subject.is_ca:
        yield "keyCertSign and the CA flag do not agree"
    if subject.is_ca and not extension.critical:
        yield "a CA's key usage is not critical"
    if usages & {"encipherOnly", "decipherOnly"} and "keyAgreement" not in usages:
        yield "encipherOnly or decipherOnly stands without keyAgreement"
    if subject.key_algorithm is not None and not usages <= usages_of(subject.key_algorithm):
        yield "there is a usage that this kind of key cannot have (RFC 8813, RFC 8410, RFC 9881)"
