"""RFC 6960 §2.2, §4.4.8: revoked for what was never issued goes with the extended-revoke extension."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.x509.der import NULL
from ca_core.x509.ocsp import EXTENDED_REVOKE, NEVER_ISSUED


def check(subject: OcspSubject) -> Iterable[str]:
    extension = next((found for found in subject.data.extensions if found.oid == EXTENDED_REVOKE), None)
    if extension is not None and (extension.critical or extension.value != NULL):
        yield "the extended-revoke extension is critical or not NULL"
    if extension is None and any(answer.status == NEVER_ISSUED for answer in subject.data.answers):
        yield "a certificate that was never issued is called revoked without the extended-revoke extension"
