"""The end of the server: what is being answered is answered first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from pechatnik import front

SCOPE = SimpleNamespace(
    path="/certificates",
    method="GET",
    query_string="",
    headers={},
    http_version="1.1",
    scheme="http",
    server="127.0.0.1:8000",
    client="127.0.0.1:50000",
    authority=None,
)


def test_the_process_ends_after_the_request_of_a_client_that_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, begun, may_end = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    steps: list[str] = []

    def signing(environ: Any, start_response: Any) -> Iterable[bytes]:
        loop.call_soon_threadsafe(begun.set)
        may_end.wait()
        steps.append("signed")
        start_response("200 OK", [])
        return [b""]

    monkeypatch.setattr(front, "leave", lambda: steps.append("left"))
    issuing: Any = SimpleNamespace(asked=lambda scope: None)
    serving = front.Front(signing, at_once=lambda *_: None, issuing=issuing, threads=1, body_limit=0, body_seconds=1)
    protocol = SimpleNamespace(response_bytes=lambda *answer: None)
    request = loop.create_task(serving.__rsgi__(SCOPE, protocol))
    loop.run_until_complete(begun.wait())
    loop.call_soon(may_end.set)
    try:
        serving.__rsgi_del__(loop)
        assert steps == ["signed", "left"]
    finally:
        may_end.set()
        loop.run_until_complete(request)
        loop.close()
