"""The short way to an answer: bytes in, bytes out, nothing parsed that need not be.

Nearly every request asks about one certificate, by SHA-1 or SHA-256, without a nonce. Such a request has one form, so
it is compared rather than parsed. Anything else, and whatever has no answer ready, goes the long way, which knows all
of RFC 6960.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

import lmdb

from ca_core.domain.errors import TryAgain
from ocsp.answers import HEADER, AnswerStore, Handle
from ocsp.composing import enveloped

SHA1_PREFIX, SHA256_PREFIX = 55, 83
"""Octets of a CertID before its serial: algorithm (11 or 15), hash of the name, hash of the key (22 or 34 each)."""
REREAD = 1.0
"""Seconds between two looks for issuers and responders that are new; until then the long way answers for them."""


class Ready(NamedTuple):
    """An answer that stood ready."""

    body: bytes
    this_update: int
    """Seconds since 1970, as the next."""
    next_update: int
    max_age: int
    """Seconds that HTTP caches may keep it; half of the time that it has left at most."""


class ReadyAnswers:
    """Looks answers up; every question sees what was committed before it came."""

    def __init__(self, store: AnswerStore, *, max_age: timedelta, clock: Callable[[], float]) -> None:
        """``max_age``: how long HTTP caches may keep an answer at most. ``clock`` tells seconds since 1970."""
        self._max_age = int(max_age.total_seconds())
        self._store = store
        self._clock = clock
        self._handles: Mapping[bytes, Handle] = {}
        self._tails: Mapping[int, bytes] = {}
        self._looked_at = float("-inf")
        self._begin = store.environment.begin

    def answer(self, request: bytes) -> Ready | None:
        """The answer to a DER OCSPRequest, or None when it has to be made."""
        size = len(request)
        if size > 127 or request[:10] != _OUTER[size]:
            return None
        end = 10 + SHA1_PREFIX
        handle = self._handles.get(request[10:end])
        if handle is None:
            end = 10 + SHA256_PREFIX
            handle = self._handles.get(request[10:end])
            if handle is None:
                return self.answer(request) if self._look_again() else None
        if request[end : end + 2] != _SERIAL[size - end]:
            return None
        try:
            snapshot = self._begin(buffers=False)
            found = snapshot.get(request[end + 2 :], None, handle)
            snapshot.abort()
        except lmdb.Error:  # more readers than the file has room for: the long way needs none
            return None
        if found is None:
            return None
        this_update, next_update, tail = HEADER.unpack_from(found)
        behind = self._tails.get(tail)
        if behind is None:
            return self.answer(request) if self._look_again() else None
        left = next_update - int(self._clock())
        if left <= 0:
            return None
        return Ready(enveloped(found[HEADER.size :], behind), this_update, next_update, min(left // 2, self._max_age))

    def _look_again(self) -> bool:
        """Whether it was time to, and the store could be read."""
        now = self._clock()
        if 0 <= now - self._looked_at < REREAD:  # a clock that was ahead is not waited for
            return False
        self._looked_at = now
        try:
            self._handles = {prefix: self._store.database(shelf) for prefix, shelf in self._store.shelves().items()}
            self._tails = self._store.tails()
        except TryAgain:
            return False
        return True


def request_of(prefix: bytes, serial: bytes) -> bytes:
    """The one form of a request that is answered here, for the beginning of a CertID and a serial's content octets."""
    cert_id = prefix + _SERIAL[len(serial) + 2] + serial
    return _OUTER[len(cert_id) + 10] + cert_id


_OUTER = [
    bytes([0x30, n - 2, 0x30, n - 4, 0x30, n - 6, 0x30, n - 8, 0x30, n - 10]) if n >= 10 else b"none"
    for n in range(128)
]
"""The five SEQUENCEs around a CertID's content, by the size of the request: OCSPRequest, TBSRequest, requestList,
Request, CertID (RFC 6960 §4.1.1)."""
_SERIAL = [bytes([0x02, n - 2]) if n > 2 else b"none" for n in range(128)]
"""The beginning of a serial of at least one octet, by the size of what is left of the request."""
