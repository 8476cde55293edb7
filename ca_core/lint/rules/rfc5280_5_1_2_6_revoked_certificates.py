"""RFC 5280 §5.1.2.6, §5.3: each certificate once, revoked before the list was made, for a reason that may stand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ca_core.lint.crl_subject import CrlSubject
from ca_core.x509 import der
from ca_core.x509.crl import RevokedEntry
from ca_core.x509.der_reader import header, parse_time

_REMOVE_FROM_CRL = 8
_SAMPLE_SERIAL = der.integer(1)


def check(subject: CrlSubject) -> Iterable[str]:
    crl = subject.crl
    if not crl.revoked and crl.tbs.count(crl.encoded_times + b"\x30\x00"):
        yield "the list of entries is written although it is empty"
    seen: set[bytes] = set()
    for entry in crl.encoded_entries():
        _, start, end = header(entry, 0, len(entry))
        _, _, serial_end = header(entry, start, end)
        tag, time_start, time_end = header(entry, serial_end, end)
        serial = entry[start:serial_end]
        if serial in seen:
            yield "a certificate is listed twice"
            return
        seen.add(serial)
        if not serial.startswith(b"\x02") or not 3 <= len(serial) <= 22 or serial[2] & 0x80:
            yield "a serial number is not positive, or longer than 20 octets"
        moment = parse_time(tag, entry[time_start:time_end], "the revocation time")
        if moment > crl.this_update:
            yield "a certificate is revoked later than the list was made"
        # Hundreds of thousands of entries share a handful of endings, so each is read once.
        if _reason(bytes(entry[time_end:])) == _REMOVE_FROM_CRL and crl.delta_base is None:
            yield "removeFromCRL stands in a list that is no delta"


@lru_cache(maxsize=1024)
def _reason(ending: bytes) -> int | None:
    sample = der.sequence(_SAMPLE_SERIAL, b"\x17\x0d700101000000Z", ending)
    return RevokedEntry.parse(sample).reason
