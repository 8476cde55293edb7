"""The one HTTP client: it calls what the configuration names, follows no redirect, and takes no more than it asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Timeout, parse_url

from ca_core.domain.errors import ConfigurationError, InvalidInput, TryAgain

PORTS = {"http": 80, "https": 443}
CONNECTIONS = 16
"""At once to one host; whoever comes beyond waits."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class GuardedClient:
    """Safe to share among threads."""

    def __init__(self, origins: Collection[str], *, seconds: float, ca_file: Path | None = None) -> None:
        """``origins`` are the addresses that may be called, as scheme, host and port. ``seconds`` to connect, and
        between two pieces of an answer. ``ca_file``: roots in PEM that https is trusted by instead of the system's.

        ConfigurationError for a file that cannot be read."""
        self._origins = {origin_of(one) for one in origins}
        if ca_file is not None and not ca_file.is_file():
            raise ConfigurationError(f"{ca_file} is not a file of certificates")
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            retries=False,
            timeout=Timeout(connect=seconds, read=seconds),
            ca_certs=None if ca_file is None else str(ca_file),
        )

    def get(self, url: str, *, most: int, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to a GET. InvalidInput for an address that may not be called, TryAgain when there is no answer or
        its body has more than ``most`` octets."""
        return self._call("GET", url, None, headers or {}, most)

    def post(self, url: str, body: bytes, *, most: int, headers: Mapping[str, str]) -> Reply:
        """As :meth:`get`."""
        return self._call("POST", url, body, headers, most)

    def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], most: int) -> Reply:
        origin = origin_of(url)
        if origin not in self._origins:
            raise InvalidInput(f"{origin} is not among the addresses that may be called")
        try:
            response = self._pool.request(
                method, url, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
            return reply_of(response, origin, response.read, most=most)
        except HTTPError as error:
            raise no_answer(origin, error) from None


def reply_of(response: BaseHTTPResponse, origin: str, read: Callable[[int], bytes], *, most: int) -> Reply:
    """The whole answer, its body by ``read``, which takes how much to read at most."""
    try:
        content = read(most + 1)
    except BaseException:
        response.close()
        raise
    if len(content) > most:
        response.close()
        raise TryAgain(f"{origin} sent more than {most} octets")
    response.release_conn()
    found = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status, headers=found, body=content)


def origin_of(url: str) -> str:
    """Scheme, host and port. InvalidInput for what is no http or https address."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise InvalidInput("that is not an address") from None
    if parts.scheme not in PORTS or not parts.host or parts.auth:
        raise InvalidInput("an address begins with http:// or https:// and a host, without a user")
    return f"{parts.scheme}://{parts.host}:{parts.port or PORTS[parts.scheme]}"


def no_answer(origin: str, error: HTTPError) -> TryAgain:
    """In a few words, without what memory addresses and pools urllib3 tells of."""
    reason = getattr(error, "reason", None) or error
    why = type(reason).__name__ if not isinstance(reason, OSError) else reason.strerror or type(reason).__name__
    return TryAgain(f"{origin} does not answer: {why}")
