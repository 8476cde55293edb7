"""The certificate database of ``openssl ca``, ``index.txt`` (openssl-ca(1), apps/lib/apps.c): what was issued, and what
became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ca_core.domain.errors import InvalidInput

REASONS: Mapping[str, int] = {
    "unspecified": 0,
    "keycompromise": 1,
    "cacompromise": 2,
    "affiliationchanged": 3,
    "superseded": 4,
    "cessationofoperation": 5,
    "certificatehold": 6,
    "holdinstruction": 6,
    "keytime": 1,
    "cakeytime": 2,
}
"""CRLReason by the names that openssl writes; the last two come with the time since when the key is suspect."""


class IndexEntry(NamedTuple):
    """One line."""

    serial: int
    revoked_at: datetime | None
    reason: int | None
    invalidity_date: datetime | None


def read_index(text: str) -> Iterator[IndexEntry]:
    """Its entries; InvalidInput names the first line that is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line:
            continue
        try:
            state, _, revoked, serial, _, _ = line.split("\t")
            if state not in ("V", "R", "E") or (state == "R") != bool(revoked):
                raise ValueError
            yield IndexEntry(int(serial, 16), *(_revocation(revoked) if revoked else (None, None, None)))
        except (ValueError, KeyError):
            raise InvalidInput(f"line {number} of the index is not one that openssl ca writes") from None


def _revocation(field: str) -> tuple[datetime, int, datetime | None]:
    moment, _, rest = field.partition(",")
    name, _, argument = rest.partition(",")
    since = _moment(argument) if name.lower().endswith("keytime") else None
    return _moment(moment), REASONS[name.lower() or "unspecified"], since


def _moment(text: str) -> datetime:
    """UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5)."""
    if not re.fullmatch(r"(\d\d)?\d{12}Z", text):
        raise ValueError
    if len(text) == 13:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
