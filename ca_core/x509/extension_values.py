"""Reading the values of standard extensions (RFC 5280 §4.2, §5.2); whatever is not their form is MalformedDer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from ca_core.domain.errors import MalformedDer
from ca_core.x509.der_reader import GENERALIZED_TIME, Element, decode, parse_time
from ca_core.x509.extension import Extension
from ca_core.x509.general_name import decode_general_name
from ca_core.x509.key_usage import USAGES

SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16"
SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
FRESHEST_CRL = "2.5.29.46"
AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
QC_STATEMENTS = "1.3.6.1.5.5.7.1.3"
OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5"


def subject_key_identifier(value: bytes) -> bytes:
    """The KeyIdentifier."""
    return decode(value).octets("the subject key identifier")


def authority_key_identifier(value: bytes) -> bytes | None:
    """The keyIdentifier, or None when only issuer and serial are given."""
    members = decode(value).sequence("the authority key identifier", most=3)
    if any(after.tag <= before.tag for before, after in pairwise(members)):
        raise MalformedDer("the authority key identifier's fields are out of order")
    return members[0].octets("the key identifier", tag=0x80) if members and members[0].tag == 0x80 else None


def key_usage(value: bytes) -> frozenset[str]:
    """The usages by name; empty when no bit is set."""
    positions = decode(value).named_bits("the key usage")
    if any(position >= len(USAGES) for position in positions):
        raise MalformedDer("the key usage has bits that mean nothing")
    return frozenset(USAGES[position] for position in positions)


def basic_constraints(value: bytes) -> tuple[bool, int | None]:
    """Whether the subject is a CA, and its path length."""
    members = list(decode(value).sequence("the basic constraints", most=2))
    ca = bool(members) and members[0].tag == 0x01
    if ca and not members.pop(0).boolean("the CA flag"):
        raise MalformedDer("the basic constraints write out cA FALSE, which is the default (X.690 section 11.5)")
    if len(members) > 1:
        raise MalformedDer("the basic constraints are not in their form")
    return ca, members[0].integer("the path length") if members else None


def extended_key_usage(value: bytes) -> tuple[str, ...]:
    """The purposes as OIDs; at least one."""
    return tuple(member.oid("a key purpose") for member in decode(value).sequence("the key purposes", least=1))


def certificate_policies(value: bytes) -> tuple[str, ...]:
    """The policies as OIDs; at least one."""
    members = decode(value).sequence("the certificate policies", least=1)
    return tuple(member.sequence("a policy", least=1, most=2)[0].oid("a policy") for member in members)


def crl_distribution_points(value: bytes) -> tuple[str, ...]:
    """The URIs of all points, in freshestCRL too; points without a URI, with reasons or another CRL issuer raise
    MalformedDer."""
    urls: list[str] = []
    for point in decode(value).sequence("the CRL distribution points", least=1):
        (name,) = point.sequence("a CRL distribution point", least=1, most=1)
        urls += point_urls(name)
    return tuple(urls)


def point_urls(name: Element) -> list[str]:
    """The URIs of one [0] DistributionPointName in its fullName form."""
    if name.tag != 0xA0 or name.inner("a distribution point name").tag != 0xA0:
        raise MalformedDer("a CRL distribution point has no full name")
    members = name.inner("a distribution point name").counted("a distribution point name", least=1)
    found = [decode_general_name(member) for member in members]
    if any(kind != "uri" for kind, _ in found):
        raise MalformedDer("a CRL distribution point is not a URI")
    return [text for _, text in found]


def authority_information_access(value: bytes) -> tuple[tuple[str, str], ...]:
    """Access methods (OIDs) with their URIs."""
    found: list[tuple[str, str]] = []
    for member in decode(value).sequence("the authority information access", least=1):
        method, location = member.sequence("an access description", least=2, most=2)
        kind, text = decode_general_name(location)
        if kind != "uri":
            raise MalformedDer("an access location is not a URI")
        found.append((method.oid("an access method"), text))
    return tuple(found)


def crl_integer(value: bytes) -> int:
    """A CRLNumber or BaseCRLNumber: not negative, at most 20 octets (RFC 5280 §5.2.3)."""
    number = decode(value).integer("the CRL number")
    if not 0 <= number < 1 << 159:
        raise MalformedDer("a CRL number is not negative and at most 20 octets long")
    return number


def private_key_usage_period(value: bytes) -> tuple[datetime | None, datetime | None]:
    """From when to when the private key signs, where it is said (X.509 §9.2.2.5)."""
    times = {
        member.tag: parse_time(GENERALIZED_TIME, member.content, "the private key usage period")
        for member in decode(value).sequence("the private key usage period", least=1, most=2)
    }
    return times.get(0x80), times.get(0x81)


class _Certificate(Protocol):
    @property
    def not_before(self) -> datetime: ...
    @property
    def not_after(self) -> datetime: ...
    @property
    def extensions(self) -> Sequence[Extension]: ...


def key_period_of(certificate: _Certificate) -> tuple[datetime, datetime]:
    """From when to when a certificate's private key signs: as it says, or as long as the certificate is valid."""
    values = (one.value for one in certificate.extensions if one.oid == PRIVATE_KEY_USAGE_PERIOD)
    begin, end = next(map(private_key_usage_period, values), (None, None))
    return begin or certificate.not_before, end or certificate.not_after
