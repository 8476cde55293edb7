"""OCSP over HTTP: GET and POST, caching by the method and the answer, refusals (RFC 6960 appendix A, RFC 9919 §6)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote

import pytest
from werkzeug.http import http_date, parse_cache_control_header
from werkzeug.test import Client, EnvironBuilder, TestResponse, run_wsgi_app

from ca_core.domain.errors import TryAgain
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import MAX_REQUEST_SIZE, CertId, CertStatus, ResponseStatus, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from ocsp.responder import REFUSALS
from ocsp.wsgi import OcspApplication

REQUEST_TYPE = "application/ocsp-request"


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def web(world: Any) -> Client:
    return Client(OcspApplication(world.ocsp))


@pytest.fixture
def good(world: Any) -> bytes:
    return request_about(world, world.certificate())


def request_about(world: Any, *rows: Any, nonce: bytes | None = None, serial: int | None = None) -> bytes:
    issuer = SignedCertificate.parse(world.issuing.certificate)
    serials = [row.serial.value for row in rows] + ([] if serial is None else [serial])
    return ocsp_request(
        [
            CertId.make(issuer=issuer.subject, issuer_public_key_info=issuer.public_key_info, serial=one)
            for one in serials
        ],
        nonce=nonce,
    )


def get(web: Client, request: bytes, *, method: str = "GET") -> TestResponse:
    return web.open("/ocsp/" + quote(b64encode(request).decode(), safe=""), method=method)


def post(web: Client, request: bytes, **options: Any) -> TestResponse:
    return web.post("/ocsp", data=request, content_type=REQUEST_TYPE, **options)


def status_in(answer: TestResponse) -> ResponseStatus:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    return OcspAnswer.parse(answer.data).status


def test_get_and_post_ask_the_same(world: Any, web: Client) -> None:
    held = request_about(world, world.hold(world.certificate()))
    for answer in (get(web, held), post(web, held), web.post("/ocsp/", data=held, content_type=REQUEST_TYPE)):
        assert status_in(answer) is ResponseStatus.SUCCESSFUL
        data = OcspAnswer.parse(answer.data).data
        assert data is not None
        assert data.answers[0].status is not CertStatus.GOOD


@pytest.mark.parametrize("state", ["issued", "held", "revoked"])
def test_an_answer_to_get_may_be_kept_until_halfway_to_its_next_update(world: Any, web: Client, state: str) -> None:
    row = world.certificate()
    if state != "issued":
        row = world.hold(row) if state == "held" else world.revoke(row)
    answer = get(web, request_about(world, row))
    assert status_in(answer) is ResponseStatus.SUCCESSFUL
    (single,) = OcspAnswer.parse(answer.data).data.answers  # type: ignore[union-attr]
    assert answer.headers["Last-Modified"] == http_date(single.this_update)
    assert answer.headers["Expires"] == http_date(single.next_update)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.data).hexdigest()}"'
    stated = parse_cache_control_header(answer.headers["Cache-Control"])
    assert dict(stated) == {"max-age": "1800", "public": None, "no-transform": None, "must-revalidate": None}


def test_a_cached_answer_never_outlives_the_responder(world: Any, web: Client, good: bytes) -> None:
    world.clock.ahead = world.responder.not_after - timedelta(seconds=100) - world.clock()
    stated = parse_cache_control_header(get(web, good).headers["Cache-Control"])
    assert 40 <= int(stated["max-age"]) <= 50


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda world, web: post(web, request_about(world, world.certificate())), ResponseStatus.SUCCESSFUL),
        (
            lambda world, web: get(web, request_about(world, world.certificate(), nonce=bytes(16))),
            ResponseStatus.SUCCESSFUL,
        ),
        (lambda world, web: get(web, request_about(world, serial=77)), ResponseStatus.SUCCESSFUL),
        (lambda world, web: get(web, request_about(world, world.intent())), ResponseStatus.SUCCESSFUL),
        (
            lambda world, web: get(web, request_about(world, world.certificate(), serial=77)),
            ResponseStatus.SUCCESSFUL,
        ),
        (lambda world, web: get(web, b"junk"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: post(web, b"junk"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: post(web, b""), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: web.get("/ocsp"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: web.get("/ocsp/"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: web.get("/ocsp/%00%FF"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: web.get("/ocsp/MFEw*"), ResponseStatus.MALFORMED_REQUEST),
        (lambda world, web: web.get("/ocsp/" + "M" * 40_000), ResponseStatus.MALFORMED_REQUEST),
        (
            lambda world, web: Client(OcspApplication(without_responder(world))).get(
                "/ocsp/" + quote(b64encode(request_about(world, serial=77)).decode(), safe="")
            ),
            ResponseStatus.TRY_LATER,
        ),
    ],
    ids=[
        "post",
        "nonce",
        "never issued",
        "intent",
        "one of two never issued",
        "junk by get",
        "junk by post",
        "nothing by post",
        "get of nothing",
        "get of an empty path",
        "not text",
        "not base64",
        "too long",
        "try later",
    ],
)
def test_what_nobody_may_keep(world: Any, web: Client, ask: Any, status: ResponseStatus) -> None:
    answer = ask(world, web)
    assert status_in(answer) is status
    assert answer.headers["Cache-Control"] == "no-store"
    for header in ("ETag", "Expires", "Last-Modified"):
        assert header not in answer.headers


class Broken:
    """A responder whose ``answer`` fails or refuses."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def answer(self, request: bytes) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def without_responder(world: Any) -> Any:
    return Broken(REFUSALS[ResponseStatus.TRY_LATER])


def paths(request: bytes) -> dict[str, str]:
    text = b64encode(request).decode()
    return {
        "not encoded": "/ocsp/" + text,
        "encoded": "/ocsp/" + quote(text, safe=""),
        "encoded twice": "/ocsp/" + quote(quote(text, safe=""), safe=""),
        "only = encoded": "/ocsp/" + text.replace("=", "%3D"),
        "no padding": "/ocsp/" + quote(text.rstrip("="), safe=""),
        "space for plus": "/ocsp/" + quote(text.replace("+", " "), safe=""),
        "two slashes": "/ocsp//" + quote(text, safe=""),
    }


@pytest.mark.parametrize("way", list(paths(b"")))
def test_ways_in_which_clients_write_the_path(world: Any, web: Client, way: str) -> None:
    awkward = (
        request
        for request in (request_about(world, world.certificate()) for _ in range(500))
        if {"+", "/", "="} <= set(b64encode(request).decode())
    )
    request = next(awkward)
    environ = EnvironBuilder(path="/").get_environ()
    # As a server hands it over: decoded once.
    environ["PATH_INFO"] = unquote(paths(request)[way])
    body, status, _ = run_wsgi_app(OcspApplication(world.ocsp), environ)
    assert status == "200 OK"
    assert OcspAnswer.parse(b"".join(body)).status is ResponseStatus.SUCCESSFUL


def test_head_has_the_headers_of_get_and_no_body(web: Client, good: bytes) -> None:
    answer = get(web, good, method="HEAD")
    assert answer.status_code == 200
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) > 100
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"content_type": "application/ocsp-response"}, 415),
        ({"content_type": "APPLICATION/OCSP-REQUEST; charset=binary"}, 200),
        ({"data": b"\x30" * (MAX_REQUEST_SIZE + 1)}, 413),
        ({"data": b"\x30" * MAX_REQUEST_SIZE}, 200),
        ({"path": "/ocsp/MFEw"}, 404),
        ({"method": "PUT"}, 405),
        ({"method": "DELETE"}, 405),
        ({"method": "BREW"}, 405),
    ],
    ids=[
        "wrong type",
        "no type",
        "the answer's type",
        "upper case with a parameter",
        "too large",
        "as large as may be",
        "post to a path",
        "put",
        "delete",
        "nonsense method",
    ],
)
def test_http_refusals_are_plain(web: Client, good: bytes, options: dict[str, Any], status: int) -> None:
    sent = {"path": "/ocsp", "method": "POST", "data": good, "content_type": REQUEST_TYPE} | options
    answer = web.open(**sent)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(answer.text.splitlines()) == 1
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_a_body_shorter_than_it_says_is_refused(world: Any, good: bytes) -> None:
    environ = EnvironBuilder(path="/ocsp", method="POST", content_type=REQUEST_TYPE, data=good).get_environ()
    environ["CONTENT_LENGTH"] = str(len(good) + 1)
    environ["wsgi.input"] = BytesIO(good)
    _, status, _ = run_wsgi_app(OcspApplication(world.ocsp), environ)
    assert status.startswith("400")


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), TryAgain("secret detail")])
def test_a_fault_of_ours_is_an_ocsp_error_and_no_traceback(good: bytes, error: Exception) -> None:
    answer = post(Client(OcspApplication(Broken(error))), good)  # type: ignore[arg-type]
    assert status_in(answer) is ResponseStatus.INTERNAL_ERROR
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"secret" not in answer.data
