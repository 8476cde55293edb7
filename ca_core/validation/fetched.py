"""Lists and OCSP answers of others, fetched from where their certificates say, and kept until their nextUpdate."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import Protocol, TypeVar

from asn1crypto import x509
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from ca_core.domain.errors import CaError
from ca_core.validation.evidence import Addresses, next_update, read_answer, read_list, request_for
from ca_core.validation.revocation import Fetching

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_KEPT = 64 << 20
"""Octets that are kept in all."""


class Reply(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class Client(Protocol):
    """What :class:`~ca_core.outbound.guarded_client.GuardedClient` does; both raise errors of our tree."""

    def get(self, url: str, *, most: int) -> Reply: ...
    def post(self, url: str, body: bytes, *, most: int, headers: dict[str, str]) -> Reply: ...


class FetchedStatus:
    """Safe to share among threads."""

    def __init__(self, client: Client, *, most_list: int, most_answer: int = 64 << 10) -> None:
        """``most_list`` and ``most_answer`` are octets of a list and of an OCSP answer."""
        self._client = client
        self._most_list = most_list
        self._most_answer = most_answer
        self._kept: OrderedDict[tuple[str, bytes], tuple[datetime, bytes]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def session(self, fetches: int, expired: Callable[[], bool], now: datetime) -> Fetching:
        """What fetches for one verdict, from so many addresses at most and until the time is up. Who does not answer,
        or answers nonsense, is as good as not there."""
        left = fetches

        def ask(url: str, request: bytes) -> bytes | None:
            nonlocal left
            kept = self._take(url, request, now)
            if kept is not None:
                return kept
            if left <= 0 or expired():
                return None
            left -= 1
            return self._call(url, request)

        def fetch(
            certificate: x509.Certificate, issuer: x509.Certificate
        ) -> Iterator[CRLContainer | Sequence[OCSPContainer]]:
            addresses = Addresses.of(certificate)
            for url in addresses.responders:
                request = request_for(certificate, issuer)
                data = ask(url, request)
                answers = None if data is None else _read(url, read_answer, data)
                if data is not None and answers:
                    self._keep(url, request, data, [next_update(one) for one in answers], now)
                    yield answers
            for url in addresses.lists:
                data = ask(url, b"")
                found = None if data is None else _read(url, read_list, data)
                if data is not None and found is not None:
                    self._keep(url, b"", data, [next_update(found)], now)
                    yield found

        return fetch

    def _call(self, url: str, request: bytes) -> bytes | None:
        try:
            if request:
                headers = {"Content-Type": "application/ocsp-request"}
                reply = self._client.post(url, request, most=self._most_answer, headers=headers)
            else:
                reply = self._client.get(url, most=self._most_list)
        except CaError as error:
            log.info("status cannot be fetched from %s: %s", url, error.detail)
            return None
        return reply.body if reply.status == 200 else None

    def _take(self, url: str, request: bytes, now: datetime) -> bytes | None:
        with self._lock:
            until, data = self._kept.get((url, request), (None, b""))
            return data if until is not None and now < until else None

    def _keep(self, url: str, request: bytes, data: bytes, ends: Sequence[datetime | None], now: datetime) -> None:
        """Nothing without a nextUpdate: such an answer says that a newer one can be had at any time."""
        until = min((end for end in ends if end is not None), default=None)
        if until is None or until <= now or None in ends or len(data) > MOST_KEPT:
            return
        with self._lock:
            self._drop((url, request))
            self._kept[url, request] = until, data
            self._size += len(data)
            while self._size > MOST_KEPT:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        _, data = self._kept.pop(key, (None, b""))
        self._size -= len(data)


def _read(url: str, reading: Callable[[bytes], T], data: bytes) -> T | None:
    try:
        return reading(data)
    except CaError as error:
        log.info("%s sends nonsense: %s", url, error.detail)
        return None
