"""RFC 5280 §4.2.1.6: alternative names in their syntax, each once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.extension_values import SUBJECT_ALTERNATIVE_NAME
from ca_core.x509.general_name import check_dns_name, check_email, check_uri, decode_general_names


def check(subject: CertificateSubject) -> Iterable[str]:
    extension = subject.extension(SUBJECT_ALTERNATIVE_NAME)
    if extension is None:
        return
    names = decode_general_names(extension.value)
    if len(set(names)) != len(names):
        yield "an alternative name appears twice"
    for kind, text in names:
        if fault := _fault(kind, text):
            yield f"an alternative name of type {kind} is not in its syntax: {fault}"


def _fault(kind: str, text: str) -> str | None:
    match kind:
        case "dns":
            # Whether wildcards are wanted is the profile's decision.
            return check_dns_name(text, wildcards=True)
        case "email":
            return check_email(text)
        case "uri":
            return check_uri(text)
        case "ip":
            return "the address is unspecified" if ipaddress.ip_address(text).is_unspecified else None
        case _:
            return "this type is not certified"
