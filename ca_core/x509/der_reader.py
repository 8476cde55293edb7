"""A strict DER reader (X.690): definite minimal lengths, minimal numbers, nothing trailing.

Whatever is not DER raises :class:`MalformedDer` before anybody looks at its meaning, so that two parsers cannot
read the same bytes differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from ca_core.domain.errors import MalformedDer

MAX_DEPTH = 32
"""Nesting that no certificate, request, CRL or OCSP message comes near."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, NUMERIC_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING = 0x0C, 0x12, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME, VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 0x17, 0x18, 0x1A, 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31

_TEXT_ENCODING = {
    UTF8_STRING: "utf-8",
    NUMERIC_STRING: "ascii",
    PRINTABLE_STRING: "ascii",
    IA5_STRING: "ascii",
    VISIBLE_STRING: "ascii",
    TELETEX_STRING: "latin-1",
    UNIVERSAL_STRING: "utf-32-be",
    BMP_STRING: "utf-16-be",
}


# Primitive tags whose content DER restricts; 0x00, 0x10 and 0x11 cannot be primitive at all.
_CHECKED = frozenset(
    {BOOLEAN, INTEGER, BIT_STRING, NULL, OID, ENUMERATED, UTC_TIME, GENERALIZED_TIME, 0x00, 0x10, 0x11}
)


class Element:
    """One decoded tag-length-value with its members, if it is constructed. Not to be changed after decoding."""

    __slots__ = ("_der", "end", "members", "start", "tag", "value_start")

    def __init__(self, der: bytes, tag: int, start: int, value_start: int, end: int) -> None:
        self._der = der
        self.tag = tag
        self.start = start
        self.value_start = value_start
        self.end = end
        self.members: Sequence[Element] = ()

    @property
    def raw(self) -> bytes:
        """The complete encoding, tag and length included."""
        return self._der[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The content octets only."""
        return self._der[self.value_start : self.end]

    def expect(self, tag: int, what: str) -> Element:
        """Itself, if it has that tag; otherwise :class:`MalformedDer` naming ``what``."""
        if self.tag != tag:
            raise MalformedDer(f"{what} has the tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def sequence(self, what: str, *, least: int = 0, most: int | None = None) -> Sequence[Element]:
        """The members of a SEQUENCE, their number within the bounds."""
        return self.expect(SEQUENCE, what).counted(what, least=least, most=most)

    def counted(self, what: str, *, least: int = 0, most: int | None = None) -> Sequence[Element]:
        """The members of any constructed value, their number within the bounds."""
        if len(self.members) < least or (most is not None and len(self.members) > most):
            raise MalformedDer(f"{what} has {len(self.members)} members, which is not its form")
        return self.members

    def inner(self, what: str) -> Element:
        """The one member of an EXPLICIT tag."""
        return self.counted(what, least=1, most=1)[0]

    def integer(self, what: str, *, tag: int = INTEGER) -> int:
        """The value of an INTEGER (or of what is implicitly one)."""
        return int.from_bytes(self.expect(tag, what).content, "big", signed=True)

    def boolean(self, what: str, *, tag: int = BOOLEAN) -> bool:
        """The value of a BOOLEAN."""
        return self.expect(tag, what).content == b"\xff"

    def oid(self, what: str, *, tag: int = OID) -> str:
        """An object identifier as dotted decimal."""
        return dotted(self.expect(tag, what).content)

    def octets(self, what: str, *, tag: int = OCTET_STRING) -> bytes:
        """The content of an OCTET STRING."""
        return self.expect(tag, what).content

    def bits(self, what: str, *, tag: int = BIT_STRING) -> bytes:
        """The content of a BIT STRING of whole octets."""
        content = self.expect(tag, what).content
        if not content or content[0]:
            raise MalformedDer(f"{what} is not a whole number of octets")
        return content[1:]

    def named_bits(self, what: str, *, tag: int = BIT_STRING) -> frozenset[int]:
        """The positions that are set in a named bit list."""
        content = self.expect(tag, what).content
        if content and not content[-1] and len(content) > 1:
            raise MalformedDer(f"{what} has trailing zero bits (X.690 section 11.2.2)")
        return frozenset(
            (at - 1) * 8 + bit for at in range(1, len(content)) for bit in range(8) if content[at] & 0x80 >> bit
        )

    def text(self, what: str, *, tag: int | None = None) -> str:
        """A character string; for an implicit tag, ``tag`` says which string type it stands for."""
        encoding = _TEXT_ENCODING.get(self.tag if tag is None else tag)
        if encoding is None:
            raise MalformedDer(f"{what} is not a character string")
        try:
            return self.content.decode(encoding)
        except UnicodeDecodeError:
            raise MalformedDer(f"{what} has characters outside its string type") from None

    def time(self, what: str) -> datetime:
        """UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows it: Zulu, whole seconds."""
        return parse_time(self.tag, self.content, what)


def decode(der: bytes) -> Element:
    """Decode exactly one value that fills ``der``, with all that it contains."""
    element = _read(der, 0, len(der), 0)
    if element.end != len(der):
        raise MalformedDer("there are bytes after the end of the structure")
    return element


def check_strict(der: bytes) -> None:
    """Return if ``der`` is exactly one DER value; :class:`MalformedDer` otherwise."""
    decode(der)


def header(der: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read one tag and length: (tag, where the content starts, where it ends)."""
    if end - at < 2:
        raise MalformedDer("the structure ends in the middle of a value")
    tag = der[at]
    size = der[at + 1]
    at += 2
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or end - at < count:
            raise MalformedDer("a length is indefinite, too long, or cut off")
        size = int.from_bytes(der[at : at + count], "big")
        at += count
        # X.690 §10.1: the least number of octets.
        if size < 0x80 or size >> 8 * (count - 1) == 0:
            raise MalformedDer("a length is not in its shortest form")
    if size > end - at:
        raise MalformedDer("a value is longer than what contains it")
    return tag, at, at + size


@lru_cache(maxsize=2048)
def dotted(content: bytes) -> str:
    """The dotted decimal of an OBJECT IDENTIFIER's content octets."""
    if not content or content[-1] & 0x80 or len(content) > 128:
        raise MalformedDer("an object identifier is empty, cut off or too long")
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise MalformedDer("an object identifier is not in its shortest form")
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def parse_time(tag: int, content: bytes, what: str) -> datetime:
    """The moment that UTCTime or GeneralizedTime content octets mean (RFC 5280 §4.1.2.5)."""
    try:
        if tag == UTC_TIME and len(content) == 13 and content[12:] == b"Z" and content[:12].isdigit():
            year = int(content[:2])
            year += 1900 if year >= 50 else 2000
            rest = content[2:12]
        elif tag == GENERALIZED_TIME and len(content) == 15 and content[14:] == b"Z" and content[:14].isdigit():
            year = int(content[:4])
            rest = content[4:14]
        else:
            raise MalformedDer(f"{what} is not a time in whole seconds, Zulu")
        return datetime(year, int(rest[:2]), int(rest[2:4]), int(rest[4:6]), int(rest[6:8]), int(rest[8:]), tzinfo=UTC)
    except ValueError:
        raise MalformedDer(f"{what} is not a date that exists") from None


def _read(der: bytes, at: int, end: int, depth: int) -> Element:
    # The shortest form first, since nearly every value has it and this is the hot path of lint and status.
    if end - at >= 2 and (size := der[at + 1]) < 0x80 and size <= end - at - 2:
        tag, value_start, value_end = der[at], at + 2, at + 2 + size
    else:
        tag, value_start, value_end = header(der, at, end)
    element = Element(der, tag, at, value_start, value_end)
    if tag & 0x1F == 0x1F:
        raise MalformedDer("a tag is longer than one octet")
    if tag & 0x20:
        if tag & 0xC0 == 0 and tag not in (SEQUENCE, SET):
            raise MalformedDer(f"the tag {tag:#04x} may not be constructed")
        if depth >= MAX_DEPTH:
            raise MalformedDer(f"the structure is nested deeper than {MAX_DEPTH} levels")
        members: list[Element] = []
        at = value_start
        while at < value_end:
            member = _read(der, at, value_end, depth + 1)
            members.append(member)
            at = member.end
        element.members = members
    elif tag in _CHECKED:
        _check_primitive(der, tag, value_start, value_end)
    return element


def _check_primitive(der: bytes, tag: int, start: int, end: int) -> None:
    size = end - start
    if tag in (INTEGER, ENUMERATED):
        if size == 0:
            raise MalformedDer("a number has no octets")
        # X.690 §8.3.2: the first nine bits are neither all zero nor all one.
        if size > 1 and (
            (der[start] == 0x00 and der[start + 1] < 0x80) or (der[start] == 0xFF and der[start + 1] >= 0x80)
        ):
            raise MalformedDer("a number is not in its shortest form")
    elif tag == OID:
        dotted(der[start:end])
    elif tag == BOOLEAN:
        if size != 1 or der[start] not in (0x00, 0xFF):
            raise MalformedDer("a BOOLEAN is neither 00 nor FF")
    elif tag == BIT_STRING:
        if size == 0 or der[start] > 7 or (size == 1 and der[start]):
            raise MalformedDer("a BIT STRING has a wrong count of unused bits")
        if size > 1 and der[end - 1] & ((1 << der[start]) - 1):
            raise MalformedDer("the unused bits of a BIT STRING are not zero")
    elif tag == NULL:
        if size:
            raise MalformedDer("a NULL has content")
    elif tag in (UTC_TIME, GENERALIZED_TIME):
        if not der[start:end].endswith(b"Z"):
            raise MalformedDer("a time is not given in Zulu")
    else:
        raise MalformedDer(f"the tag {tag:#04x} may not be primitive")
