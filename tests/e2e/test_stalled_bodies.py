"""Clients that begin a request and fall silent keep nobody else from an answer."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca_core.domain.access import SYSTEM_ACTOR

STALLED = 40
"""More than all threads of the server together."""


def begin(url: str, request: bytes) -> socket.socket:
    place = urlsplit(url)
    connection = socket.create_connection((place.hostname, place.port), timeout=60)
    connection.sendall(request)
    return connection


def head(path: str, length: int, kind: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()
    )


@pytest.fixture
def stalled(house: Any) -> Iterator[list[socket.socket]]:
    """Half-sent bodies to status and to a form, all of them open."""
    requests = [
        head("/ocsp", 1000, "application/ocsp-request"),
        head("/login", 1000, "multipart/form-data; boundary=x"),
    ]
    connections = [begin(house.url, requests[number % 2] + b"0123456789") for number in range(STALLED)]
    yield connections
    for connection in connections:
        connection.close()


def test_status_and_pages_are_served_beside_stalled_bodies(house: Any, stalled: list[socket.socket]) -> None:
    for path in ("/livez", "/login", "/api/v1/openapi.json"):
        with urllib.request.urlopen(house.url + path, timeout=30) as answer:
            assert answer.status == 200
    _, issuing, responder, *_ = house.services.authorities.list(SYSTEM_ACTOR)
    issuer, leaf = (x509.load_der_x509_certificate(one.certificate) for one in (issuing, responder))
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1())
    request = urllib.request.Request(
        house.url + "/ocsp",
        data=asked.build().public_bytes(Encoding.DER),
        headers={"Content-Type": "application/ocsp-request"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert ocsp.load_der_ocsp_response(answer.read()).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert stalled[0].fileno() != -1


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [("/ocsp", 65_537, b"413"), ("/login", 1 << 40, b"413"), ("/login", -1, b"400"), ("/crl/x", 1 << 20, b"413")],
)
def test_a_body_that_is_too_large_is_refused_by_its_length(house: Any, path: str, length: int, status: bytes) -> None:
    with begin(house.url, head(path, length, "application/octet-stream")) as connection:
        assert connection.recv(64).split(b" ")[1] == status


def test_a_chunked_body_is_refused_once_it_is_too_large(house: Any) -> None:
    request = b"POST /ocsp HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with begin(house.url, request + b"11000\r\n" + b"x" * 0x11000 + b"\r\n0\r\n\r\n") as connection:
        assert connection.recv(64).split(b" ")[1] == b"413"


def test_a_body_that_does_not_arrive_is_given_up(house: Any, stalled: list[socket.socket]) -> None:
    assert all(one.recv(64).split(b" ")[1] == b"408" for one in stalled)
