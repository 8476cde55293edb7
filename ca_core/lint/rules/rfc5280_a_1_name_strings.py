"""RFC 5280 §4.1.2.4, appendix A.1: the string type and the greatest size of each attribute of a name."""

from __future__ import annotations

from collections.abc import Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.x509.name import PRINTABLE, RUSSIAN_IDENTIFIERS

_DIRECTORY = ("utf8", "printable")
_EVERY = ("utf8", "printable", "numeric", "ia5")

_RULES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "2.5.4.3": ("commonName", _DIRECTORY, 64),
    "2.5.4.4": ("surname", _DIRECTORY, 32768),
    "2.5.4.5": ("serialNumber", ("printable",), 64),
    "2.5.4.6": ("countryName", ("printable",), 2),
    "2.5.4.7": ("localityName", _DIRECTORY, 128),
    "2.5.4.8": ("stateOrProvinceName", _DIRECTORY, 128),
    "2.5.4.9": ("streetAddress", _DIRECTORY, 128),
    "2.5.4.10": ("organizationName", _DIRECTORY, 64),
    "2.5.4.11": ("organizationalUnitName", _DIRECTORY, 64),
    "2.5.4.12": ("title", _DIRECTORY, 64),
    "2.5.4.42": ("givenName", _DIRECTORY, 32768),
    "2.5.4.46": ("dnQualifier", ("printable",), 64),
    "2.5.4.65": ("pseudonym", _DIRECTORY, 128),
    "2.5.4.97": ("organizationIdentifier", _DIRECTORY, 32768),
    "0.9.2342.19200300.100.1.25": ("domainComponent", ("ia5",), 63),
    "1.2.840.113549.1.9.1": ("emailAddress", ("ia5",), 255),
    **{oid: (label, ("numeric",), digits) for oid, (label, digits) in RUSSIAN_IDENTIFIERS.items()},
}


def check(subject: CertificateSubject) -> Iterable[str]:
    # The issuer's name was judged when it was the subject of the issuer's own certificate.
    name = subject.subject
    if any(size != 1 for size in name.rdn_sizes):
        yield "a part of the name has more than one attribute"
    for attribute in name.attributes:
        label, types, most = _RULES.get(attribute.oid, (attribute.oid, _EVERY, 32768))
        if attribute.string_type not in types:
            yield f"{label} is written as {attribute.string_type}, not as {' or '.join(types)}"
        if not 1 <= len(attribute.value) <= most:
            yield f"{label} has not between 1 and {most} characters"
        if attribute.string_type == "printable" and not PRINTABLE.fullmatch(attribute.value):
            yield f"{label} has characters that a PrintableString cannot hold"
        if attribute.string_type == "numeric" and not attribute.value.isdigit():
            yield f"{label} has characters that are no digits"
