"""Lists and issuers' certificates over HTTP: types, caching, conditions, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from werkzeug.http import http_date
from werkzeug.test import Client, TestResponse

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import TryAgain
from crl.wsgi import CrlApplication


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def web(world: Any) -> Client:
    world.crls.tick()
    return Client(CrlApplication(world.crls))


def path_of(world: Any, partition: int = 0) -> str:
    key = world.issuing.key_identifier.hex()
    return f"/crl/{key}/{partition}.crl" if partition else f"/crl/{key}.crl"


@pytest.mark.parametrize("partition", [0, 3])
def test_a_list_is_served_as_it_was_published(world: Any, web: Client, partition: int) -> None:
    crl = world.crls.published(SYSTEM_ACTOR, "issuing", partition)
    answer = web.get(path_of(world, partition))
    assert answer.status_code == 200
    assert answer.data == crl.der
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert answer.headers["Content-Length"] == str(len(crl.der))
    assert answer.headers["ETag"] == f'"{crl.sha256.hex()}"'
    assert answer.headers["Last-Modified"] == http_date(crl.this_update)
    assert answer.headers["Expires"] == http_date(crl.next_update)
    assert answer.headers["Cache-Control"] == "public, max-age=3600, no-transform"


def test_the_root_is_served_too(world: Any, web: Client) -> None:
    answer = web.get(f"/crl/{world.root.key_identifier.hex()}.crl")
    assert answer.data == world.crls.published(SYSTEM_ACTOR, "root", 0).der


@pytest.mark.parametrize(
    ("before_next_update", "age"),
    [
        (timedelta(hours=2), range(3600, 3601)),
        (timedelta(minutes=10), range(590, 601)),
        (timedelta(seconds=-1), range(1)),
    ],
    ids=["long", "soon", "overdue"],
)
def test_no_cache_keeps_a_list_beyond_its_next_update(
    world: Any, web: Client, before_next_update: timedelta, age: range
) -> None:
    crl = world.crls.published(SYSTEM_ACTOR, "issuing", 0)
    world.clock.ahead = crl.next_update - before_next_update - world.clock()
    stated = web.get(path_of(world)).headers["Cache-Control"]
    assert int(stated.partition("max-age=")[2].partition(",")[0]) in age


def test_a_certificate_is_served_at_the_address_in_the_certificates(world: Any, web: Client) -> None:
    leaf = x509.load_der_x509_certificate(world.certificate().der)
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = [
        one.access_location.value
        for one in access
        if one.access_method == x509.AuthorityInformationAccessOID.CA_ISSUERS
    ]
    answer = web.get(url.removeprefix(world.base_url))
    assert answer.status_code == 200
    assert answer.data == world.issuing.certificate
    assert answer.headers["Content-Type"] == "application/pkix-cert"
    assert answer.headers["Cache-Control"] == "public, max-age=86400, no-transform"
    assert (
        web.get(url.removeprefix(world.base_url), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    )


def test_who_has_a_list_already_makes_nobody_read_it(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crls.tick()
    tag = f'"{world.crls.published(SYSTEM_ACTOR, "issuing", 0).sha256.hex()}"'
    monkeypatch.setattr(world.crls, "bytes_of", lambda crl: pytest.fail("the list was read"))
    answer = Client(CrlApplication(world.crls)).get(path_of(world), headers={"If-None-Match": tag})
    assert (answer.status_code, answer.headers["ETag"]) == (304, tag)


def test_head_has_the_same_headers_and_no_body(world: Any, web: Client) -> None:
    get, head = web.get(path_of(world)), web.head(path_of(world))
    assert head.status_code == 200
    assert head.data == b""
    assert {name: head.headers[name] for name in ("Content-Length", "ETag", "Content-Type")} == {
        name: get.headers[name] for name in ("Content-Length", "ETag", "Content-Type")
    }


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (lambda crl: {"If-None-Match": f'"{crl.sha256.hex()}"'}, 304),
        (lambda crl: {"If-None-Match": f'W/"{crl.sha256.hex()}", "other"'}, 304),
        (lambda crl: {"If-None-Match": "*"}, 304),
        (lambda crl: {"If-None-Match": '"other"'}, 200),
        (lambda crl: {"If-Modified-Since": http_date(crl.this_update)}, 304),
        (lambda crl: {"If-Modified-Since": http_date(crl.this_update - timedelta(seconds=1))}, 200),
        (lambda crl: {"Range": "bytes=0-9"}, 206),
        (lambda crl: {"Range": f"bytes={len(crl.der)}-"}, 416),
        (lambda crl: {"Range": "bytes=zero"}, 416),
    ],
    ids=["same tag", "among tags", "any", "other tag", "same time", "older", "range", "beyond", "nonsense range"],
)
def test_conditions_and_ranges(world: Any, web: Client, header: Any, status: int) -> None:
    crl = world.crls.published(SYSTEM_ACTOR, "issuing", 0)
    answer = web.get(path_of(world), headers=header(crl))
    assert answer.status_code == status
    if status == 304:
        assert answer.data == b""
    if status == 206:
        assert answer.data == crl.der[:10]


@pytest.mark.parametrize(
    "path",
    [
        "/crl",
        "/crl/",
        "/crl/{key}",
        "/crl/{key}.CRL",
        "/crl/{key}.crl/",
        "/crl/{key}.crl%0A",
        "/crl/{key}/0.crl",
        "/crl/{key}/5.crl",
        "/crl/{key}/01.crl",
        "/crl/{key}/99999.crl",
        "/crl/{key}/-1.crl",
        "/crl/{KEY}.crl",
        "/crl/../{key}.crl",
        "/crl/" + "0" * 40 + ".crl",
        "/crl/" + "0" * 4000 + ".crl",
        "/crl/{key}-delta.crl",
        "/aia/" + "0" * 40 + ".cer",
        "/aia/{responder}.cer",
        "/aia/{key}.crl",
        "/crl/{key}.cer",
    ],
)
def test_what_is_not_there_is_404_in_plain_words(world: Any, web: Client, path: str) -> None:
    key = world.issuing.key_identifier.hex()
    answer = web.get(path.format(key=key, KEY=key.upper(), responder=world.responder.key_identifier.hex()))
    assert_plain(answer, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_other_methods_are_405(world: Any, web: Client, method: str) -> None:
    answer = web.open(path_of(world), method=method)
    assert_plain(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD"


class Busy:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def current(self, key_identifier: str, partition: int, *, delta: bool) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [(TryAgain("busy", retry_after=7), 503), (RuntimeError("secret detail"), 500)],
    ids=["try again", "a fault of ours"],
)
def test_trouble_is_a_sentence(world: Any, error: Exception, status: int) -> None:
    answer = Client(CrlApplication(Busy(error))).get(path_of(world))  # type: ignore[arg-type]
    assert_plain(answer, status)
    assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)


def assert_plain(answer: TestResponse, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text
    assert len(answer.text.splitlines()) == 1
