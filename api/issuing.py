"""The short way to a certificate: ``POST /api/v1/applications/<id>/issue`` without anything unusual about it.

Such requests gather on the event loop and are answered together by one thread, past the framework, whose work for one
request costs as much as its certificate. Whatever is refused, fails, or asks for more (an idempotency key, a body) goes
the long way, which says why; asked twice, issuance gives what it gave.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from api.authentication import token_in
from api.blueprint import version_in
from api.problems import Problem
from api.shapes import CertificateOut
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import TryAgain
from ca_core.services.gathering import TOGETHER, WAITING
from ca_core.services.issuance import Issuance
from ca_core.services.issuance_order import Wanted
from ca_core.services.tokens import Tokens
from web.hosts import serves

_PATH = re.compile(rb"/api/v1/applications/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/issue")

_UNUSUAL = frozenset({b"transfer-encoding", b"idempotency-key"})
"""Headers with which a request goes the long way."""

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""

_TOO_MANY = Problem.of(TryAgain("too many wait for their certificate; try again")).model_dump_json().encode()
BUSY: Answer = (
    503,
    [
        ("content-type", "application/problem+json"),
        ("cache-control", "no-store"),
        ("retry-after", "1"),
        ("content-length", str(len(_TOO_MANY))),
    ],
    _TOO_MANY,
)
"""Rather than a queue without an end."""

log = structlog.get_logger("issuing")


class Asked(NamedTuple):
    """One request."""

    token: str
    application: UUID
    version: int


class Issuing:
    """Belongs to one event loop."""

    def __init__(self, issuance: Issuance, tokens: Tokens, *, hosts: Collection[str]) -> None:
        """``hosts`` are the names that the API is served under."""
        self._issuance = issuance
        self._tokens = tokens
        self._hosts = hosts
        self._waiting: list[tuple[Asked, asyncio.Future[Answer | None]]] = []
        self._run: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="issuing")

    def asked(self, scope: Mapping[str, Any]) -> Asked | None:
        """What an ASGI request asks for, if it may go this way."""
        match = _PATH.fullmatch(scope["raw_path"])
        if match is None or scope["method"] != "POST" or scope["query_string"]:
            return None
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.keys() & _UNUSUAL or headers.get(b"content-length", "0") != "0":
            return None
        if len(headers) != len(scope["headers"]):  # something is said twice
            return None
        token = token_in(headers.get(b"authorization", ""))
        version = version_in(headers.get(b"if-match", ""))
        if token is None or version is None or not serves(self._hosts, headers.get(b"host", "")):
            return None
        return Asked(token, UUID(match[1].decode()), version)

    async def answer(self, asked: Asked) -> Answer | None:
        """The certificate, as the long way gives it, or :data:`BUSY`; None when the long way has to say why not."""
        if len(self._waiting) >= WAITING:
            return BUSY
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._run is None:
            # By itself: a client that hangs up ends its own request alone.
            self._run = asyncio.get_running_loop().create_task(self._issue_waiting())
        return await future

    async def _issue_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
                answers = await loop.run_in_executor(self._thread, self._issue, [asked for asked, _ in batch])
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():  # its client may have gone
                        future.set_result(answer)
        finally:
            self._run = None

    def _issue(self, batch: Sequence[Asked]) -> Sequence[Answer | None]:
        try:
            senders = self._tokens.senders({asked.token for asked in batch})
            wanted = {
                at: Wanted(actor=senders[asked.token], application=asked.application, version=asked.version)
                for at, asked in enumerate(batch)
                if asked.token in senders
            }
            outcomes = dict(zip(wanted, self._issuance.issue_all(list(wanted.values())), strict=True))
        except Exception:  # the long way meets it again, and says it
            log.exception("issuing together failed")
            outcomes = {}
        return [_rendered(outcomes.get(at)) for at in range(len(batch))]


def _rendered(outcome: object) -> Answer | None:
    if not isinstance(outcome, Certificate):
        return None
    body = CertificateOut.of(outcome).model_dump_json().encode() + b"\n"
    headers = [
        ("content-type", "application/json"),
        ("etag", f'"{outcome.version}"'),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-length", str(len(body))),
    ]
    return 200, headers, body
