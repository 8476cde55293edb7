"""Distinguished names: from a profile's rules to bytes, and from bytes to what people read (RFC 5280 §4.1.2.4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import idna.core

from ca_core.domain.errors import ProfileViolation
from ca_core.domain.profile import RdnRule, StringType
from ca_core.x509 import der
from ca_core.x509.der_reader import (
    BMP_STRING,
    IA5_STRING,
    NUMERIC_STRING,
    PRINTABLE_STRING,
    SET,
    TELETEX_STRING,
    UNIVERSAL_STRING,
    UTF8_STRING,
    VISIBLE_STRING,
    Element,
    decode,
)

_ENCODERS: dict[StringType, Callable[[str], bytes]] = {
    StringType.UTF8: der.utf8_string,
    StringType.PRINTABLE: der.printable_string,
    StringType.NUMERIC: der.numeric_string,
    StringType.IA5: der.ia5_string,
}
PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")
"""The alphabet of a PrintableString (X.680 §41.4)."""
_ALPHABETS = {
    StringType.PRINTABLE: (PRINTABLE, "only Latin letters, digits and '()+,-./:=?"),
    StringType.NUMERIC: (re.compile(r"[0-9 ]*"), "only digits"),
    StringType.IA5: (re.compile(r"[\x20-\x7e]*"), "only ASCII characters"),
}
_TYPE_NAMES = {
    UTF8_STRING: "utf8",
    NUMERIC_STRING: "numeric",
    PRINTABLE_STRING: "printable",
    TELETEX_STRING: "teletex",
    IA5_STRING: "ia5",
    UNIVERSAL_STRING: "universal",
    VISIBLE_STRING: "visible",
    BMP_STRING: "bmp",
}

RUSSIAN_IDENTIFIERS: Mapping[str, tuple[str, int]] = {
    "1.2.643.3.131.1.1": ("INN", 12),
    "1.2.643.100.1": ("OGRN", 13),
    "1.2.643.100.3": ("SNILS", 11),
    "1.2.643.100.4": ("INNLE", 10),
    "1.2.643.100.5": ("OGRNIP", 15),
}
"""Attribute types of Russian qualified certificates: name and count of digits, all of them NumericString."""

SHORT_NAMES: Mapping[str, str] = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.42": "givenName",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    **{oid: name for oid, (name, _) in RUSSIAN_IDENTIFIERS.items()},
}
"""Attribute types with a name that people know; others are shown as their OID."""

# Format characters that keep words of some scripts apart or together; all others only deceive the eye.
_JOINERS = frozenset("\u200c\u200d")
"""Between letters of scripts that need them they are part of the spelling (RFC 5892, appendix A.1 and A.2)."""
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What shows nothing though it is no format character: Default_Ignorable_Code_Point of the Unicode Character Database,
and the blank of Braille."""
_HEAPED = re.compile("M{5}")
"""No spelling puts five marks on one letter; drawings over the neighbouring text do."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a name as it stands in the bytes."""

    oid: str
    string_type: str
    """``utf8``, ``printable``, ``numeric``, ``ia5``, or one of the old types that we read and never write."""
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name that was read."""

    der: bytes
    attributes: tuple[Attribute, ...]
    """In the order of the bytes."""
    rdn_sizes: tuple[int, ...]
    """How many attributes each RDN has; 1 everywhere in names of our own."""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read a DER Name; :class:`MalformedDer` for anything else."""
        return cls.of(decode(encoded))

    @classmethod
    def of(cls, element: Element) -> Self:
        """As :meth:`parse`, from what is decoded already."""
        attributes: list[Attribute] = []
        sizes: list[int] = []
        for rdn in element.sequence("the name"):
            members = rdn.expect(SET, "a part of the name").counted("a part of the name", least=1)
            sizes.append(len(members))
            for member in members:
                kind, value = member.sequence("an attribute", least=2, most=2)
                text = value.text("an attribute's value")
                attributes.append(Attribute(kind.oid("an attribute's type"), _TYPE_NAMES[value.tag], text))
        return cls(element.raw, tuple(attributes), tuple(sizes))

    def first(self, oid: str) -> str | None:
        """The first value of that attribute type, if it has one."""
        return next((attribute.value for attribute in self.attributes if attribute.oid == oid), None)

    def __str__(self) -> str:
        """RFC 4514 text: the last RDN first, special characters escaped."""
        parts: list[str] = []
        at = 0
        for size in self.rdn_sizes:
            parts.append("+".join(_render(attribute) for attribute in self.attributes[at : at + size]))
            at += size
        return ",".join(reversed(parts))


def render_name(encoded: bytes) -> str:
    """The RFC 4514 text of a DER Name, for display."""
    return str(Name.parse(encoded))


def encode_name(rules: Sequence[RdnRule], values: Mapping[str, str]) -> bytes:
    """A DER Name: one RDN per attribute, in the order of the rules, each in its rule's string type.

    ``values`` maps the rules' names to text. :class:`ProfileViolation` with every offending attribute in
    ``fields``; see :func:`name_faults` for what is refused. Checksums are the business of the services.
    """
    faults = name_faults(rules, values)
    if faults:
        raise ProfileViolation(f"the subject name is not acceptable: {', '.join(sorted(faults))}", fields=faults)
    rdns: list[bytes] = []
    for rule in rules:
        value = rule.fixed if rule.fixed is not None else values.get(rule.name)
        if value is not None:
            rdns.append(der.set_of(der.sequence(der.oid(rule.oid), _ENCODERS[rule.string_type](value))))
    return der.sequence(*rdns)


def name_faults(rules: Sequence[RdnRule], values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each attribute, by its name; empty when :func:`encode_name` would accept them all."""
    unknown = values.keys() - {rule.name for rule in rules}
    faults = dict.fromkeys(unknown, "this profile has no such attribute")
    for rule in rules:
        value = values.get(rule.name)
        if rule.fixed is not None:
            if value is not None and value != rule.fixed:
                faults[rule.name] = "the profile fixes this value"
            value = rule.fixed
        if value is None:
            if rule.required:
                faults[rule.name] = "this attribute is required"
        elif fault := value_fault(rule, value):
            faults.setdefault(rule.name, fault)
    return faults


def value_fault(rule: RdnRule, value: str) -> str | None:
    """What is wrong with one value, or None. Checks size, alphabet, pattern, and characters that deceive."""
    if not rule.min_size <= len(value) <= rule.max_size:
        if rule.min_size == rule.max_size:
            return f"exactly {rule.min_size} characters are needed"
        return f"{rule.min_size} to {rule.max_size} characters are needed"
    if value != value.strip():
        return "there may be no space at the beginning or end"
    if not value.isascii() and (fault := _deceptive(value)):
        return fault
    alphabet = _ALPHABETS.get(rule.string_type)
    if alphabet is not None and not alphabet[0].fullmatch(value):
        return f"{alphabet[1]} can be used here"
    if not value.isprintable() and any(unicodedata.category(character) == "Cc" for character in value):
        return "control characters cannot be used"
    if rule.pattern is not None and re.fullmatch(rule.pattern, value) is None:
        return "the value does not have the form that is asked for"
    return None


def _deceptive(value: str) -> str | None:
    for position, character in enumerate(value):
        category = unicodedata.category(character)
        if character in _JOINERS:
            if not idna.core.valid_contextj(value, position):
                return "invisible and direction-changing characters cannot be used"
        elif category == "Cf" or INVISIBLE.match(character) or (category == "Zs" and character != " "):
            # U+202E and its kin make a reader see another name than the one that was certified.
            return "invisible and direction-changing characters cannot be used"
        if category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
            return "control, private and unassigned characters cannot be used"
    if _HEAPED.search("".join("M" if unicodedata.category(one) in ("Mn", "Me") else "-" for one in value)):
        return "too many marks stand on one letter"
    if not unicodedata.is_normalized("NFC", value):
        # RFC 5280 §7.1: names are compared after normalization, so only one form of each is certified.
        return "the text is not in Unicode normalization form C"
    return None


def _render(attribute: Attribute) -> str:
    text = re.sub(r'([,+"\\<>;])', r"\\\1", attribute.value)
    if not text.isprintable():
        text = "".join(
            character
            if character.isprintable()
            else "".join(f"\\{octet:02X}" for octet in character.encode("utf-8", "replace"))
            for character in text
        )
    if text.startswith((" ", "#")):
        text = "\\" + text
    if text.endswith(" ") and len(attribute.value) > 1:
        text = text[:-1] + "\\ "
    return f"{SHORT_NAMES.get(attribute.oid, attribute.oid)}={text}"
