"""GeneralName (RFC 5280 §4.2.1.6): the names a certificate carries beside its subject, checked before written."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

import idna

from ca_core.domain.errors import MalformedDer, ProfileViolation
from ca_core.domain.profile import SanType
from ca_core.x509 import der
from ca_core.x509.der_reader import IA5_STRING, Element, decode
from ca_core.x509.name import render_name

MAX_EMAIL = 254
"""Characters of a mailbox (RFC 5321 §4.5.3.1.3 less the brackets)."""
MAX_URI = 2048

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

_TAGS: Mapping[str, int] = {SanType.EMAIL: 0x81, SanType.DNS: 0x82, SanType.URI: 0x86, SanType.IP: 0x87}
_KINDS = {tag: kind for kind, tag in _TAGS.items()}


def encode_general_name(kind: str, value: str, *, wildcards: bool = False) -> bytes:
    """One GeneralName; :class:`ProfileViolation` names what is wrong with the value."""
    checks: dict[str, Callable[[str], bytes]] = {
        SanType.DNS: lambda text: _dns(text, wildcards=wildcards),
        SanType.IP: _ip,
        SanType.EMAIL: _email,
        SanType.URI: _uri,
    }
    check = checks.get(kind)
    if check is None:
        raise ProfileViolation(
            f"a certificate name of type {kind[:20]!r} cannot be asked for", fields={"san": kind[:20]}
        )
    return der.tlv(_TAGS[kind], check(value))


def decode_general_name(element: Element) -> tuple[str, str]:
    """Type and text of a GeneralName from foreign hands; the text is for people and comparison, not checked.

    Beside :class:`SanType` it knows ``directory`` (RFC 4514 text), ``registered-id`` and ``other`` (their OIDs).
    Others, and values outside their string type, raise :class:`MalformedDer`.
    """
    if element.tag == 0x87:
        try:
            return "ip", str(ipaddress.ip_address(element.content))
        except ValueError:
            raise MalformedDer("an IP address has neither 4 nor 16 octets") from None
    if element.tag in _KINDS:
        return _KINDS[element.tag], element.text("a certificate name", tag=IA5_STRING)
    if element.tag == 0xA4:
        return "directory", render_name(element.inner("a directory name").raw)
    if element.tag == 0x88:
        return "registered-id", element.oid("a registered identifier", tag=0x88)
    if element.tag == 0xA0:
        return "other", element.counted("another name", least=2, most=2)[0].oid("another name")
    raise MalformedDer("a certificate name has a type that is not accepted")


def decode_general_names(value: bytes) -> tuple[tuple[str, str], ...]:
    """All of a DER GeneralNames, of which there is at least one."""
    return general_names(decode(value))


def general_names(element: Element) -> tuple[tuple[str, str], ...]:
    """As :func:`decode_general_names`, from what is decoded already."""
    members: Sequence[Element] = element.sequence("the certificate names", least=1)
    return tuple(decode_general_name(member) for member in members)


def check_dns_name(text: str, *, wildcards: bool = False) -> str | None:
    """What is wrong with a DNS name in preferred syntax (RFC 1034 §3.5, RFC 5890 for A-labels), or None."""
    if not text.isascii():
        return "write international names as A-labels (xn--…)"
    if not 1 <= len(text) <= 253:
        return "a DNS name has 1 to 253 characters"
    labels = text.split(".")
    if labels[0] == "*":
        if not wildcards:
            return "wildcards are not allowed here"
        if len(labels) < 3:
            return "a wildcard stands before at least two labels"
        labels = labels[1:]
    if len(labels) < 2:
        return "a DNS name has at least two labels"
    if labels[-1].isdigit():
        return "a DNS name does not end in a number"
    return next((fault for label in labels if (fault := _label_fault(label))), None)


def check_email(text: str) -> str | None:
    """What is wrong with an ASCII mailbox (RFC 5321 dot-string, RFC 5280 §4.2.1.6), or None."""
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAX_EMAIL or len(local) > 64 or not _ATOM.fullmatch(local):
        return "an e-mail address looks like name@example.com, in ASCII"
    return check_dns_name(domain)


@lru_cache(maxsize=1024)
def check_uri(text: str) -> str | None:
    """What is wrong with an absolute URI with an authority (RFC 3986, RFC 5280 §4.2.1.6), or None."""
    if len(text) > MAX_URI or not _URI.fullmatch(text):
        return "a URI is absolute and in ASCII, as https://example.com/path"
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "the URI cannot be read"
    if parts.scheme in ("urn", "tag"):
        return None
    if not host:
        return "the URI has no host"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return check_dns_name(host)
    return None


def _label_fault(label: str) -> str | None:
    if not _LABEL.fullmatch(label):
        return "each label has 1 to 63 letters, digits and inner hyphens"
    lowered = label.lower()
    if lowered[2:4] == "--":
        if not lowered.startswith("xn--"):
            return "hyphens in the third and fourth place mean an A-label (RFC 5891 section 4.2.3.1)"
        try:
            idna.ulabel(lowered)
        except (idna.IDNAError, UnicodeError):
            return "a label begins with xn-- but is no valid A-label (RFC 5890)"
    return None


def _refuse(kind: str, fault: str | None) -> None:
    if fault is not None:
        raise ProfileViolation(f"the certificate name of type {kind} is not accepted: {fault}", fields={"san": fault})


def _dns(text: str, *, wildcards: bool) -> bytes:
    _refuse("dns", check_dns_name(text, wildcards=wildcards))
    return text.encode("ascii")


def _ip(text: str) -> bytes:
    try:
        # A zone means something on one machine only (RFC 4007 §6), and no certificate can carry it.
        return ipaddress.ip_address(text.replace("%", " ")).packed
    except ValueError:
        _refuse("ip", "write one IPv4 or IPv6 address, without a mask or zone")
        raise


def _email(text: str) -> bytes:
    _refuse("email", check_email(text))
    return text.encode("ascii")


def _uri(text: str) -> bytes:
    _refuse("uri", check_uri(text))
    return text.encode("ascii")
