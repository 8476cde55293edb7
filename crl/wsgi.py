"""Lists and issuers' certificates over HTTP (RFC 5280 §4.2.1.13, §4.2.2.1; RFC 2585 §4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import is_resource_modified
from werkzeug.wrappers import Response

from ca_core.domain.errors import TryAgain

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIST_AGE = timedelta(hours=1)
"""The longest that caches may keep a list: a new one may appear long before nextUpdate."""
DELTA_AGE = timedelta(minutes=5)
"""As long for a delta, which is fetched for news."""
CERTIFICATE_AGE = timedelta(days=1)
"""How long caches may keep an issuer's certificate, which never changes."""

_LIST = re.compile(r"/crl/([0-9a-f]{40})(?:/([1-9][0-9]{0,4}))?(-delta)?\.crl")
_CERTIFICATE = re.compile(r"/aia/([0-9a-f]{40})\.cer")

log = structlog.get_logger("crl")


class Head(Protocol):
    """What there is to know of a list without its bytes."""

    @property
    def sha256(self) -> bytes: ...
    @property
    def this_update(self) -> datetime: ...
    @property
    def next_update(self) -> datetime: ...


class IssuerFile(Protocol):
    """An issuer's certificate, and since when it lies here."""

    @property
    def certificate(self) -> bytes: ...
    @property
    def created_at(self) -> datetime: ...


H = TypeVar("H", bound=Head)


class Lists(Protocol[H]):
    """Where they come from: the office that signs them (:class:`~crl.office.CrlOffice`), or a status node's copy."""

    def current(self, key_identifier: str, partition: int, *, delta: bool = False) -> tuple[H, timedelta] | None: ...
    def bytes_of(self, crl: H) -> bytes: ...
    def issuer(self, key_identifier: str) -> IssuerFile | None: ...


class CrlApplication:
    """``/crl/<key id>.crl``, ``/crl/<key id>/<partition>.crl``, the deltas to them (``-delta.crl``) and
    ``/aia/<key id>.cer``: GET and HEAD, conditional and in ranges."""

    def __init__(self, lists: Lists[Any]) -> None:
        self._lists = lists

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        try:
            response, body = self._found(environ["PATH_INFO"])
            if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                raise MethodNotAllowed(valid_methods=("GET", "HEAD"))
            if is_resource_modified(environ, response.headers["ETag"].strip('"'), last_modified=response.last_modified):
                response.set_data(body())
            return response.make_conditional(environ, accept_ranges=True, complete_length=len(response.get_data()))
        except HTTPException as refusal:
            return _plain(refusal.code or 500, refusal.name, allow=getattr(refusal, "valid_methods", None))
        except TryAgain as later:
            return _plain(503, "Try again later", retry_after=later.retry_after)
        except Exception:  # a relying party gets a sentence, never a traceback
            log.exception("request failed")
            return _plain(500, "Internal error")

    def _found(self, path: str) -> tuple[Response, Callable[[], bytes]]:
        """What is said of it, and how to get it: whoever has it already makes nobody read fifty megabytes."""
        if match := _LIST.fullmatch(path):
            delta = match[3] is not None
            found = self._lists.current(match[1], int(match[2] or 0), delta=delta)
            if found is None:
                raise NotFound
            crl, left = found
            response = _file("application/pkix-crl", max(min(left, DELTA_AGE if delta else LIST_AGE), timedelta(0)))
            response.set_etag(crl.sha256.hex())
            response.last_modified = crl.this_update
            response.expires = crl.next_update
            return response, lambda: self._lists.bytes_of(crl)
        if match := _CERTIFICATE.fullmatch(path):
            issuer = self._lists.issuer(match[1])
            if issuer is None:
                raise NotFound
            certificate = issuer.certificate
            response = _file("application/pkix-cert", CERTIFICATE_AGE)
            response.set_etag(hashlib.sha256(certificate).hexdigest())
            response.last_modified = issuer.created_at
            return response, lambda: certificate
        raise NotFound


def _file(media_type: str, age: timedelta) -> Response:
    headers = {"Cache-Control": f"public, max-age={int(age.total_seconds())}, no-transform"}
    return Response(content_type=media_type, headers=headers)


def _plain(
    status: int, sentence: str, *, allow: Iterable[str] | None = None, retry_after: int | None = None
) -> Response:
    response = Response(f"{sentence}\n", status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    if allow is not None:
        response.headers["Allow"] = ", ".join(allow)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
