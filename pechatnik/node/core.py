"""The core, as a status node asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.app import PREFIX
from api.status import ChangesOut, ListOut, PublishedOut, StretchOut
from ca_core.domain.errors import TryAgain
from ca_core.outbound.guarded_client import GuardedClient, Reply
from ocsp.feed import Changes, Stretch
from ocsp.http import PREFIX as OCSP, REQUEST_TYPE, RESPONSE_TYPE
from ocsp.replica import Position

PAGE = 64 * 1024 * 1024
"""Octets of one page of the feed at most."""
LIST = 1 << 30
"""Octets of a revocation list at most."""
ANSWER = 64 * 1024
"""Octets of an OCSP answer at most."""

M = TypeVar("M", bound=BaseModel)


class Core:
    """Every call raises TryAgain when the core does not answer, or says no."""

    def __init__(self, url: str, client: GuardedClient, *, token: Callable[[], bytes]) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._token = token

    def token(self) -> str:
        """ConfigurationError when it cannot be read."""
        return self._token().decode(errors="replace").strip()

    def changes(self, position: Position | None) -> Changes:
        after = ""
        if position is not None:
            after = f"?epoch={position.epoch}&after={position.number}&link={position.link.hex()}"
        return self._page(f"/status/changes{after}", ChangesOut).changes()

    def stretch(self, shelf: str, after: bytes) -> Stretch:
        return self._page(f"/status/answers?shelf={shelf}&after={after.hex()}", StretchOut).stretch()

    def published(self) -> PublishedOut:
        return self._page("/status/published", PublishedOut)

    def list(self, one: ListOut) -> bytes:
        """The bytes of a list, from its public address."""
        return _said_yes(self._client.get(self._url + one.path, most=LIST)).body

    def ocsp(self, request: bytes) -> bytes:
        """What the core answers to a DER OCSPRequest."""
        headers = {"Content-Type": REQUEST_TYPE}
        reply = _said_yes(self._client.post(self._url + OCSP, request, most=ANSWER, headers=headers))
        if reply.headers.get("content-type") != RESPONSE_TYPE:
            raise TryAgain("the core did not send an OCSP answer")
        return reply.body

    def _page(self, path: str, shape: type[M]) -> M:
        headers = {"Authorization": f"Bearer {self.token()}"}
        reply = _said_yes(self._client.get(f"{self._url}{PREFIX}{path}", most=PAGE, headers=headers))
        try:
            return shape.model_validate_json(reply.body)
        except ValidationError:
            raise TryAgain("the core sent a page that is none; is it of the same version?") from None


def _said_yes(reply: Reply) -> Reply:
    if reply.status == 200:
        return reply
    meaning = {
        401: "the token is unknown, expired or revoked",
        403: "the token lacks the right status.follow",
        409: "it signs no answers beforehand (status.presign)",
    }
    raise TryAgain(f"the core answers {reply.status}: {meaning.get(reply.status, 'see its log')}")
