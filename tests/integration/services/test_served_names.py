"""Under which names the sites and the API answer, and what answers whatever the name."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from pechatnik.wsgi import compose
from web import hosts

SERVED = [
    "pki.example.com",
    "PKI.example.com",
    "ca.example.org",
    "localhost:1234",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:8",
]
OTHERS = [
    "evil.example",
    "pki.example.com.evil.example",
    "pki.example.com:8443",
    "sub.pki.example.com",
    "localhost.evil.example",
    "127.0.0.1:8080@evil.example",
    "",
]


@pytest.fixture
def database() -> str:
    """Names know no database."""
    return "sqlite"


@pytest.fixture
def client(open_house: Any) -> Client:
    return Client(compose(open_house(extra='hosts = ["ca.example.org"]\n').program))


@pytest.mark.parametrize("host", SERVED)
def test_the_sites_and_the_api_answer_under_their_own_names(client: Client, host: str) -> None:
    for path, status in (("/login", 200), ("/admin", 308), ("/api/v1/openapi.json", 200)):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == status, path
        if status == 308:
            assert answer.location.lower() in ("/admin/", f"http://{host.lower()}/admin/")


@pytest.mark.parametrize("host", OTHERS)
def test_under_any_other_name_nothing_is_served_and_nobody_led_there(client: Client, host: str) -> None:
    for path in ("/", "/login", "/admin", "/admin/accounts", "/nowhere", "/static/site.css", "/api/v1/me"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "location" not in answer.headers
        assert "not served under that name" in answer.text
    assert client.get("/api/v1/me", headers={"Host": host}).json["code"] == "bad-request"


def test_status_lists_and_health_answer_whatever_the_name(client: Client) -> None:
    for path, status in (("/livez", 200), ("/version", 200), ("/metrics", 200), ("/crl/x", 404), ("/aia/x", 404)):
        assert client.get(path, headers={"Host": "192.0.2.7"}).status_code == status, path
    assert (
        client.post(
            "/ocsp", data=b"x", content_type="application/ocsp-request", headers={"Host": "192.0.2.7"}
        ).status_code
        == 200
    )


def test_the_usual_port_of_the_public_address_goes_without_saying() -> None:
    assert hosts.names("https://PKI.example.com:443/x", ["a.example"]) == {"pki.example.com", "a.example"}
    assert hosts.names("http://pki.example.com:8080", []) == {"pki.example.com:8080"}
