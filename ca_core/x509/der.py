"""A strict DER writer (X.690 §10, §11): each function returns one complete tag-length-value.

Only single-octet tags exist here; X.509 needs no others. The matching reader is :mod:`ca_core.x509.der_reader`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from ca_core.domain.errors import InvalidInput
from ca_core.x509.der_reader import check_strict, decode

__all__ = [
    "NULL",
    "bit_string",
    "boolean",
    "check_strict",
    "decode",
    "enumerated",
    "explicit",
    "generalized_time",
    "header",
    "ia5_string",
    "implicit",
    "integer",
    "named_bits",
    "numeric_string",
    "octet_string",
    "oid",
    "printable_string",
    "sequence",
    "set_of",
    "time",
    "tlv",
    "utc_time",
    "utf8_string",
]

NULL = b"\x05\x00"

_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")
_NUMERIC = frozenset("0123456789 ")


def header(tag: int, size: int) -> bytes:
    """Tag octet and minimal definite length of a content of that many octets."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def tlv(tag: int, content: bytes) -> bytes:
    """Tag octet, minimal definite length, content."""
    return header(tag, len(content)) + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE or SEQUENCE OF; empty parts stand for absent OPTIONAL or DEFAULT fields."""
    return b"".join((header(0x30, sum(map(len, parts))), *parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF, its members in ascending order of their encodings (X.690 §11.6)."""
    return tlv(0x31, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """INTEGER in two's complement, minimal."""
    return tlv(0x02, _twos_complement(value))


def enumerated(value: int) -> bytes:
    """ENUMERATED, encoded as an INTEGER is."""
    return tlv(0x0A, _twos_complement(value))


def boolean(value: bool) -> bytes:
    """BOOLEAN: 0xFF for true (X.690 §11.1)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from dotted decimal; :class:`InvalidInput` when that is not one."""
    arcs = dotted.split(".")
    if len(arcs) < 2 or not all(_is_arc(arc) for arc in arcs):
        raise InvalidInput(f"not an object identifier: {dotted[:64]!r}; write it as dotted decimal")
    first, second, *rest = map(int, arcs)
    if first > 2 or (first < 2 and second > 39):
        raise InvalidInput(
            f"not an object identifier: {dotted[:64]!r}; it starts 0, 1 or 2, then at most 39 after 0 or 1"
        )
    return tlv(0x06, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, content)


def bit_string(content: bytes, *, unused: int = 0) -> bytes:
    """BIT STRING of whole octets, the last ``unused`` (0..7) bits of which do not count and are zero."""
    return tlv(0x03, bytes((unused,)) + content)


def named_bits(positions: Iterable[int]) -> bytes:
    """A named-bit-list BIT STRING with trailing zero bits removed (X.690 §11.2.2)."""
    value = 0
    highest = -1
    for position in positions:
        value |= 1 << position
        highest = max(highest, position)
    if highest < 0:
        return bit_string(b"")
    octets = bytearray(highest // 8 + 1)
    for position in range(highest + 1):
        if value >> position & 1:
            octets[position // 8] |= 0x80 >> position % 8
    return bit_string(bytes(octets), unused=7 - highest % 8)


def utf8_string(text: str) -> bytes:
    """UTF8String; :class:`InvalidInput` for text with lone surrogates."""
    try:
        return tlv(0x0C, text.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidInput("the text cannot be written as UTF-8") from None


def printable_string(text: str) -> bytes:
    """PrintableString; :class:`InvalidInput` for anything outside X.680 §41.4."""
    if not _PRINTABLE.issuperset(text):
        raise InvalidInput("only Latin letters, digits, space and ' ( ) + , - . / : = ? fit a PrintableString")
    return tlv(0x13, text.encode("ascii"))


def numeric_string(text: str) -> bytes:
    """NumericString; :class:`InvalidInput` for anything but digits and space."""
    if not _NUMERIC.issuperset(text):
        raise InvalidInput("only digits and space fit a NumericString")
    return tlv(0x12, text.encode("ascii"))


def ia5_string(text: str) -> bytes:
    """IA5String; :class:`InvalidInput` for non-ASCII characters."""
    if not text.isascii():
        raise InvalidInput("only ASCII characters fit an IA5String")
    return tlv(0x16, text.encode("ascii"))


def explicit(number: int, inner: bytes) -> bytes:
    """[number] EXPLICIT around a complete encoding; number is 0..30."""
    return tlv(0xA0 | number, inner)


def implicit(number: int, inner: bytes) -> bytes:
    """[number] IMPLICIT: the encoding with its tag replaced; whether it is constructed stays."""
    return bytes((0x80 | (inner[0] & 0x20) | number,)) + inner[1:]


def time(moment: datetime) -> bytes:
    """Time by RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after, whole seconds (fractions dropped)."""
    utc = _in_utc(moment)
    return utc_time(utc) if 1950 <= utc.year <= 2049 else generalized_time(utc)


def utc_time(moment: datetime) -> bytes:
    """UTCTime ``YYMMDDHHMMSSZ``; :class:`InvalidInput` outside 1950..2049."""
    utc = _in_utc(moment)
    if not 1950 <= utc.year <= 2049:
        raise InvalidInput("UTCTime holds the years 1950 to 2049 only")
    return b"\x17\x0d%02d%02d%02d%02d%02d%02dZ" % (
        utc.year % 100,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
    )


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime ``YYYYMMDDHHMMSSZ``, without fractions (RFC 5280 §4.1.2.5.2)."""
    utc = _in_utc(moment)
    return b"\x18\x0f%04d%02d%02d%02d%02d%02dZ" % (
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
    )


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidInput("a time needs its zone")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _twos_complement(value: int) -> bytes:
    # One more bit than the magnitude, for the sign; ~value gives the magnitude of a negative number.
    bits = (value if value >= 0 else ~value).bit_length() + 1
    return value.to_bytes((bits + 7) // 8, "big", signed=True)


def _is_arc(arc: str) -> bool:
    return arc.isascii() and arc.isdigit() and len(arc) <= 40 and (arc == "0" or arc[0] != "0")


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | arc & 0x7F)
    return bytes(reversed(octets))
