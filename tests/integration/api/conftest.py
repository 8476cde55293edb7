"""The REST API of a furnished authority, and callers with tokens of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api import create_api
from ca_core.domain.access import Permission
from web.limits import limiter

ROOT = Path(__file__).parents[3]
CODES = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture
def database() -> str:
    """Most of the API knows no database; its services are tested on both."""
    return "sqlite"


class Caller:
    """Somebody with a token."""

    def __init__(self, client: Any, token: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, *, version: int | None = None, **options: Any) -> Any:
        headers = {**self._headers, **options.pop("headers", {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._client.open(f"/api/v1{path}", method=method, headers=headers, **options)


@pytest.fixture
def wsgi(house: Any) -> Any:
    program = house.program
    api = create_api(house.services, crls=program.crls, feed=program.feed, version="test", max_upload=1 << 20)
    limiter.reset()
    return api


@pytest.fixture
def by(house: Any, wsgi: Any) -> Any:
    """``by("operator")("GET", "/me")``; the same name and scopes, the same token."""

    @cache
    def token(name: str, scopes: frozenset[Permission] | None) -> str:
        actor = getattr(house, name)
        made: str = house.services.tokens.create(actor, label="test", scopes=scopes or actor.permissions, days=1)[1]
        return made

    def make(name: str | None, scopes: frozenset[Permission] | None = None) -> Caller:
        return Caller(wsgi.test_client(), None if name is None else token(name, scopes))

    return make


@pytest.fixture
def problem() -> Callable[..., None]:
    """``problem(answer, 409, "conflict")``: this problem document, its code on the page of errors."""

    def check(answer: Any, status: int | tuple[int, ...], code: str | None = None) -> None:
        assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.text
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == answer.status_code
        assert answer.json["code"] in CODES, answer.json["code"]
        if code is not None:
            assert answer.json["code"] == code
        assert answer.headers["Cache-Control"] == "no-store"

    return check
