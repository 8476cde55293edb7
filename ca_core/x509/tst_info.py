"""TSTInfo: what a time-stamp token says (RFC 3161 §2.4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self

from ca_core.domain.errors import MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509 import der
from ca_core.x509.der_reader import BOOLEAN, GENERALIZED_TIME, INTEGER, SEQUENCE, Element, decode, parse_time
from ca_core.x509.extension import unique_extensions
from ca_core.x509.timestamp import MessageImprint

TST_INFO = "1.2.840.113549.1.9.16.1.4"
"""id-ct-TSTInfo."""
MICROSECOND, MILLISECOND, SECOND = timedelta(microseconds=1), timedelta(milliseconds=1), timedelta(seconds=1)
_GEN_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,5}[1-9]))?Z")
_TSA, _EXTENSIONS = 0xA0, 0xA1
_FIELDS = (SEQUENCE, BOOLEAN, INTEGER, _TSA, _EXTENSIONS)
"""Tags of the optional fields, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TstInfo:
    """The signed content of a token."""

    policy: str
    """OID."""
    imprint: MessageImprint
    serial: Serial
    """Up to 160 bits."""
    gen_time: datetime
    """To the microsecond."""
    accuracy: timedelta | None
    ordering: bool = False
    nonce: int | None = None
    tsa: bytes | None = None
    """DER Name of the authority."""

    @property
    def der(self) -> bytes:
        """The encoding."""
        return der.sequence(
            der.integer(1),
            der.oid(self.policy),
            self.imprint.der,
            der.integer(self.serial.value),
            gen_time(self.gen_time),
            b"" if self.accuracy is None else _accuracy(self.accuracy),
            der.boolean(True) if self.ordering else b"",
            b"" if self.nonce is None else der.integer(self.nonce),
            b"" if self.tsa is None else _named(self.tsa),
        )

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read DER; :class:`MalformedDer` for anything else, :class:`TimestampRefused` for a digest that is not
        accepted."""
        version, policy, imprint, serial, moment, *rest = decode(encoded).sequence("the TSTInfo", least=5, most=10)
        if version.integer("the version") != 1:
            raise MalformedDer("the TSTInfo is not of version 1")
        found = {one.tag: one for one in rest}
        tags = [one.tag for one in rest]
        if tags != [tag for tag in _FIELDS if tag in found]:
            raise MalformedDer("the TSTInfo is not in its form")
        number = serial.integer("the serial number")
        if not 0 < number < 1 << 159:
            raise MalformedDer("the serial number is not positive or has more than 160 bits")
        if BOOLEAN in found and not found[BOOLEAN].boolean("ordering"):
            raise MalformedDer("the TSTInfo writes out ordering FALSE, which is the default (X.690 section 11.5)")
        if _EXTENSIONS in found:
            unique_extensions(found[_EXTENSIONS].counted("the extensions", least=1))
        return cls(
            policy=policy.oid("the policy"),
            imprint=MessageImprint.of(imprint),
            serial=Serial(number),
            gen_time=_read_gen_time(moment),
            accuracy=_read_accuracy(found[SEQUENCE]) if SEQUENCE in found else None,
            ordering=BOOLEAN in found,
            nonce=found[INTEGER].integer("the nonce") if INTEGER in found else None,
            tsa=_read_name(found[_TSA]) if _TSA in found else None,
        )


def gen_time(moment: datetime) -> bytes:
    """GeneralizedTime with fractions of a second as far as there are any, without trailing zeros (RFC 3161 §2.4.2)."""
    whole = der.generalized_time(moment)
    if not moment.microsecond:
        return whole
    return der.tlv(GENERALIZED_TIME, whole[2:-1] + f".{moment.microsecond:06d}".rstrip("0").encode() + b"Z")


def _read_gen_time(element: Element) -> datetime:
    match = _GEN_TIME.fullmatch(element.expect(GENERALIZED_TIME, "genTime").content)
    if match is None:
        raise MalformedDer("genTime is not in its form: Zulu, fractions of six digits at most, no trailing zero")
    whole, fraction = match.groups()
    microseconds = int((fraction or b"0").ljust(6, b"0"))
    return parse_time(GENERALIZED_TIME, whole + b"Z", "genTime").replace(microsecond=microseconds)


@lru_cache(maxsize=16)
def _accuracy(accuracy: timedelta) -> bytes:
    seconds, rest = divmod(accuracy, SECOND)
    millis, rest = divmod(rest, MILLISECOND)
    micros = rest // MICROSECOND
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.implicit(0, der.integer(millis)) if millis else b"",
        der.implicit(1, der.integer(micros)) if micros else b"",
    )


def _read_accuracy(element: Element) -> timedelta:
    found = {one.tag: one.integer("the accuracy", tag=one.tag) for one in element.members}
    tags = [one.tag for one in element.members]
    if tags != [tag for tag in (INTEGER, 0x80, 0x81) if tag in found]:
        raise MalformedDer("the accuracy is not in its form")
    seconds, millis, micros = found.get(INTEGER, 0), found.get(0x80, 1), found.get(0x81, 1)
    if not 0 <= seconds < 1 << 31 or not 1 <= millis <= 999 or not 1 <= micros <= 999:
        raise MalformedDer("the accuracy is out of its bounds")
    return seconds * SECOND + found.get(0x80, 0) * MILLISECOND + found.get(0x81, 0) * MICROSECOND


@lru_cache(maxsize=16)
def _named(name: bytes) -> bytes:
    # GeneralName is a CHOICE, so its tags stay although the module tags implicitly (X.680 §31.2.7).
    return der.explicit(0, der.explicit(4, name))


def _read_name(element: Element) -> bytes:
    name = element.inner("the authority's name").expect(0xA4, "the authority's name").inner("the authority's name")
    return name.raw
