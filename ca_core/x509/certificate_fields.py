"""What a certificate says of itself, read for millions at a time: the walk of RFC 5280 §4.1 over the bytes, without an
object for each value. Other authorities' certificates come this way; it asks less than
:class:`~ca_core.x509.certificate.SignedCertificate`, whose rules not every old authority kept.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ca_core.domain.errors import MalformedDer
from ca_core.x509 import der as write
from ca_core.x509.der_reader import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    decode,
    header,
    parse_time,
)
from ca_core.x509.name import Name

_AUTHORITY_KEY_IDENTIFIER = b"\x55\x1d\x23"
"""Content octets of 2.5.29.35."""


class CertificateFields(NamedTuple):
    """``bytes`` are complete DER structures, but for those that say otherwise."""

    tbs: bytes
    serial: int
    signature_algorithm: bytes
    signature: bytes
    """Content of the BIT STRING."""
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key_info: bytes
    authority_key_identifier: bytes | None
    """Content of the keyIdentifier."""


def read_fields(der: bytes) -> CertificateFields:
    """The fields of exactly one certificate; :class:`MalformedDer` where the bytes are not of its form."""
    at, end = _inside(der, 0, len(der), SEQUENCE, "the certificate")
    if end != len(der):
        raise MalformedDer("there are bytes after the end of the structure")
    tbs_start = at
    at, tbs_end = _inside(der, at, end, SEQUENCE, "the certificate")
    tbs = der[tbs_start:tbs_end]
    if der[at : at + 1] == b"\xa0":
        at = _inside(der, at, tbs_end, 0xA0, "the version")[1]
    serial_at, at = _inside(der, at, tbs_end, INTEGER, "the serial number")
    serial = int.from_bytes(der[serial_at:at], "big", signed=True)
    algorithm, at = _whole(der, at, tbs_end, "the algorithm")
    issuer, at = _whole(der, at, tbs_end, "the issuer")
    time_at, at = _inside(der, at, tbs_end, SEQUENCE, "the validity")
    tag, start, stop = header(der, time_at, at)
    not_before = _moment(tag, der[start:stop], "notBefore")
    tag, start, stop = header(der, stop, at)
    not_after = _moment(tag, der[start:stop], "notAfter")
    if stop != at:
        raise MalformedDer("the validity has more than two times")
    subject, at = _whole(der, at, tbs_end, "the subject")
    public_key_info, at = _whole(der, at, tbs_end, "the key")
    identifier = None
    while at < tbs_end:
        tag, start, at = header(der, at, tbs_end)
        if tag == 0xA3:
            identifier = _authority_key_identifier(der, start, at)
        elif tag not in (0x81, 0x82):
            raise MalformedDer("the certificate's optional fields are not in their form")
    outer, at = _whole(der, tbs_end, end, "the signature algorithm")
    if outer != algorithm:
        raise MalformedDer("the certificate names two signature algorithms (RFC 5280 section 4.1.1.2)")
    start, at = _inside(der, at, end, BIT_STRING, "the signature")
    if at != end or start == at or der[start]:
        raise MalformedDer("the signature is not a whole number of octets, or not the end")
    return CertificateFields(
        tbs,
        serial,
        algorithm,
        der[start + 1 : at],
        issuer,
        subject,
        not_before,
        not_after,
        public_key_info,
        identifier,
    )


def subject_text(subject: bytes) -> str:
    """As :func:`~ca_core.x509.name.render_name`; what many subjects have in common is read once."""
    at, end = _inside(subject, 0, len(subject), SEQUENCE, "the name")
    if end != len(subject):
        raise MalformedDer("there are bytes after the end of the name")
    parts: list[str] = []
    while at < end:
        start = at
        at = header(subject, at, end)[2]
        parts.append(_rdn_text(subject[start:at]))
    return ",".join(reversed(parts))


@lru_cache(maxsize=4096)
def _rdn_text(rdn: bytes) -> str:
    return str(Name.parse(write.sequence(rdn)))


@lru_cache(maxsize=4096)
def _moment(tag: int, content: bytes, what: str) -> datetime:
    return parse_time(tag, content, what)


def _inside(der: bytes, at: int, end: int, expected: int, what: str) -> tuple[int, int]:
    """Where the content of the value at ``at`` starts and ends."""
    tag, start, stop = header(der, at, end)
    if tag != expected:
        raise MalformedDer(f"{what} has the tag {tag:#04x} where {expected:#04x} belongs")
    return start, stop


def _whole(der: bytes, at: int, end: int, what: str) -> tuple[bytes, int]:
    """A SEQUENCE as it stands, and where it ends."""
    stop = _inside(der, at, end, SEQUENCE, what)[1]
    return der[at:stop], stop


def _authority_key_identifier(der: bytes, at: int, end: int) -> bytes | None:
    at, stop = _inside(der, at, end, SEQUENCE, "the extensions")
    if stop != end:
        raise MalformedDer("there are bytes after the extensions")
    seen = set()
    found = None
    while at < stop:
        inner, at = _inside(der, at, stop, SEQUENCE, "an extension")
        start, inner = _inside(der, inner, at, OID, "an extension")
        oid = der[start:inner]
        if oid in seen:
            raise MalformedDer("an extension appears twice")
        seen.add(oid)
        if oid == _AUTHORITY_KEY_IDENTIFIER:
            if der[inner : inner + 1] == b"\x01":
                inner = _inside(der, inner, at, BOOLEAN, "an extension's critical flag")[1]
            start, inner = _inside(der, inner, at, OCTET_STRING, "an extension")
            found = _key_identifier(der[start:inner])
    return found


@lru_cache(maxsize=64)
def _key_identifier(value: bytes) -> bytes | None:
    members = decode(value).sequence("the authority key identifier", most=3)
    return members[0].content if members and members[0].tag == 0x80 else None
