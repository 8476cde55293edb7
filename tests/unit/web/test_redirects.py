"""Where a form may send people afterwards: to pages of our own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.utils import redirect

from web.redirects import safe_next


@pytest.mark.parametrize("target", ["/", "/applications/2026-000001", "/certificates?text=a%20b&state=held", "/a//b"])
def test_pages_of_our_own_are_kept(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/a\\..\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example/",
        "/\r\nLocation: https://evil.example/",
        " /a",
    ],
)
def test_whatever_else_leads_to_the_start_page(target: str | None) -> None:
    assert safe_next(target) == "/"


@settings(deadline=None)
@given(st.text(alphabet="/\\:.@?#[]abh\t\n ", max_size=12) | st.text(max_size=40))
def test_the_browser_stays_here_whatever_was_asked_for(target: str) -> None:
    answer = redirect(safe_next(target))
    sent = answer.get_wsgi_headers(EnvironBuilder(base_url="https://here.example/").get_environ())["Location"]
    # A browser takes \ for / and leaves out tabs and line breaks (WHATWG URL, 4.4).
    assert sent.startswith("/")
    assert not sent.replace("\\", "/").translate({9: None, 10: None, 13: None}).startswith("//")
