"""The members of revokedCertificates (RFC 5280 §5.1.2.6, §5.3), written and read a million at a time.

Each entry of ours is one of a few shapes, so it is written by putting four pieces of hexadecimal digits together, and a
run of entries is taken apart by one regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Self

from ca_core.domain.errors import InvalidInput, MalformedDer
from ca_core.x509 import der, extension_values
from ca_core.x509.der_reader import ENUMERATED, decode
from ca_core.x509.extension import Extension, read_extensions

REASONS = frozenset({0, 1, 2, 3, 4, 5, 6, 8, 9, 10})
"""CRLReason codes (RFC 5280 §5.3.1); 7 is not used, 8 (removeFromCRL) stands in delta lists only."""
REMOVE_FROM_CRL = 8
REMOVAL = b"0\x0a\x06\x03U\x1d\x15\x04\x03\x0a\x01\x08"
"""The reason code extension that says so."""

Revoked = tuple[str, int, int | None, int | None]
"""Serial number in lower-case hex, whole octets; seconds since 1970 of the revocation; CRLReason; seconds since 1970 of
the invalidity date. Plain values, since a list has a million of them."""

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_entries(revoked: Iterable[Revoked]) -> bytes:
    """Their DER, back to back. A reason of 0 (unspecified) is left out, as RFC 5280 §5.3.1 says; InvalidInput for one
    that does not exist."""
    written = []
    for serial, at, reason, invalidity in revoked:
        day, second = divmod(at, _DAY)
        minute, second = divmod(second, 60)
        heads, date, ending = _around[day, reason, invalidity]
        # A serial that begins with a set bit needs an octet more to be positive.
        head = heads[len(serial) + (serial >= "8")]
        written.append(f"{head}{serial}{date}{_MINUTES[minute]}{_SECONDS[second]}{ending}")
    return bytes.fromhex("".join(written))


class _Around(dict[tuple[int, int | None, int | None], tuple[Sequence[str], str, str]]):
    """By day since 1970, reason and invalidity date: what stands before the serial's digits, by their number (one more
    where an octet for the sign goes before); tag, length and date of the revocation time; and crlEntryExtensions."""

    def __missing__(self, said: tuple[int, int | None, int | None]) -> tuple[Sequence[str], str, str]:
        day, reason, invalidity = said
        date, ending = _date(day), _extensions(reason, invalidity)
        around = _heads((len(date) + 14 + len(ending)) // 2), date, ending
        if invalidity is None:  # of dates there may be as many as of entries
            self[said] = around
        return around


@cache
def _heads(after: int) -> Sequence[str]:
    """``after``: octets that follow the serial."""
    shapes = ((digits // 2 + digits % 2, digits % 2) for digits in range(42))
    return [(bytes((0x30, 2 + octets + after, 0x02, octets)) + bytes(sign)).hex() for octets, sign in shapes]


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return der.time(_EPOCH + timedelta(days=day))[: -len("000000Z")].hex()


@lru_cache(maxsize=4096)
def _extensions(reason: int | None, invalidity: int | None) -> str:
    extensions = b""
    if reason:
        if reason not in REASONS:
            raise InvalidInput(f"there is no revocation reason {reason} (RFC 5280 section 5.3.1)")
        extensions += Extension(extension_values.REASON_CODE, False, der.enumerated(reason)).der
    if invalidity is not None:
        moment = der.generalized_time(_EPOCH + timedelta(seconds=invalidity))
        extensions += Extension(extension_values.INVALIDITY_DATE, False, moment).der
    return der.sequence(extensions).hex() if extensions else ""


_around = _Around()
_MINUTES = [f"{minute // 60:02}{minute % 60:02}".encode().hex() for minute in range(24 * 60)]
_SECONDS = [f"{second:02}Z".encode().hex() for second in range(60)]


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One revoked certificate as a list shows it."""

    serial: int
    revoked_at: datetime
    reason: int | None
    invalidity: datetime | None

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read one member of revokedCertificates; unknown critical extensions raise :class:`MalformedDer`."""
        serial, time, *rest = decode(encoded).sequence("a revoked certificate", least=2, most=3)
        reason: int | None = None
        invalidity: datetime | None = None
        for extension in read_extensions(rest[0]) if rest else ():
            if extension.oid == extension_values.REASON_CODE:
                reason = decode(extension.value).integer("the reason", tag=ENUMERATED)
                if reason not in REASONS:
                    raise MalformedDer("a revocation reason is not one of RFC 5280 section 5.3.1")
            elif extension.oid == extension_values.INVALIDITY_DATE:
                invalidity = decode(extension.value).time("the invalidity date")
            elif extension.critical:
                raise MalformedDer("a revoked certificate has a critical extension that is not known")
        return cls(serial.integer("the serial number"), time.time("the revocation time"), reason, invalidity)


# Days that there are: of a two-digit year every fourth is a leap year, since those are 1950 to 2049; of later years the
# sooner of two wrong answers is given, that 29 February 2100 exists.
_DATE = (
    rb"(?:\d\d(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)|02(?:0[1-9]|1\d|2[0-8]))"
    rb"|(?:[02468][048]|[13579][26])0229)(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ"
)
_TIMES = (rb"\x17\x0d" + _DATE, rb"\x18\x0f\d\d" + _DATE)
_REASON = rb"0\x0a\x06\x03U\x1d\x15\x04\x03\x0a\x01[\x01-\x06\x08-\x0a]"
_INVALIDITY = rb"0\x18\x06\x03U\x1d\x18\x04\x11\x18\x0f\d\d" + _DATE
_ENDINGS = ((0, b""), (12, _REASON), (26, _INVALIDITY), (38, _REASON + _INVALIDITY))


def _shapes() -> Iterator[bytes]:
    """Every entry that :func:`encode_entries` writes, the usual ones first: alternatives are tried in order."""
    for octets in (18, *range(17, 0, -1), 19, 20):
        for length, time in zip((15, 17), _TIMES, strict=True):
            for size, ending in _ENDINGS:
                wrapped = b"0" + re.escape(bytes((size,))) + ending if size else b""
                whole = 2 + octets + length + (2 + size if size else 0)
                # Positive and minimal: the first octet is neither 0 before a clear bit, nor has its own bit set.
                rest = b".{%d}" % (octets - 1)
                lead = rb"(?:[\x01-\x7f]%s|\x00(?=[\x80-\xff])%s)" % (rest, rest) if octets > 1 else rb"[\x01-\x7f]"
                yield re.escape(bytes((whole, 2, octets))) + lead + time + wrapped


_ENTRY = re.compile(rb"0(?:" + b"|".join(_shapes()) + rb")", re.DOTALL)
_CHUNK = 1 << 16
"""Octets that are taken apart at once."""


def entry_batches(encoded: bytes | memoryview, start: int = 0) -> Iterator[list[bytes]]:
    """The entries of a run, from a place on, in order, a thousand or so at once; :class:`MalformedDer` where one is not
    of the form that :func:`encode_entries` writes."""
    while start < len(encoded):
        chunk = bytes(encoded[start : start + _CHUNK])
        batch: list[bytes] = _ENTRY.findall(chunk)
        joined = b"".join(batch)
        # They are all of it, but for the beginning of an entry that the chunk cut.
        rest = chunk[len(joined) :]
        if not batch or not chunk.startswith(joined) or (rest[1:2] and len(rest) >= 2 + rest[1]):
            raise MalformedDer("a revoked certificate is not written in the form of this authority")
        yield batch
        start += len(joined)


def key_of(entry: bytes) -> bytes:
    """What entries are sorted by, as the database sorts the hex: the serial's octets without the one for the sign."""
    return entry[4 + (not entry[4]) : 4 + entry[3]]
