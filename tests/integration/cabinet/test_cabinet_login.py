"""Logging in over HTTP: what is kept, where it leads, and what an error page says."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import text

from ca_core.domain.errors import TryAgain
from web.limits import limiter

Desk = Any
PASSWORD = "correct horse battery staple"
ELSEWHERE = ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]


def next_of(page: Any) -> str:
    """Where the log-in form leads; the form for the language comes before it."""
    return html.unescape(re.findall(r'name="next" value="([^"]*)"', page.html)[-1])


def test_a_wrong_password_keeps_the_address_and_never_the_password(desk: Desk) -> None:
    limiter.reset()
    page = desk.visitor().post("/login", {"email": "anna@example.org", "password": "not hers at all"})
    assert page.status == 401
    assert page.value("email") == "anna@example.org"
    assert page.value("password") == ""
    assert "not hers" not in page.html


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_log_in_never_leads_to_another_site(desk: Desk, target: str) -> None:
    limiter.reset()
    visitor = desk.visitor()
    assert next_of(visitor.get("/login", query_string={"next": target})) == "/"
    form = {"email": "anna@example.org", "password": PASSWORD, "next": target}
    assert visitor.post("/login", form, follow_redirects=False).response.location == "/"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_choice_of_language_never_leads_to_another_site(desk: Desk, target: str) -> None:
    answer = desk.visitor().post("/language", {"language": "ru", "next": target}, follow_redirects=False)
    assert answer.response.location == "/"


def test_a_log_in_leads_back_to_where_it_was_asked_for(desk: Desk) -> None:
    limiter.reset()
    visitor = desk.visitor()
    asked = visitor.get("/certificates").response.location
    form = {"email": "anna@example.org", "password": PASSWORD, "next": next_of(visitor.get(asked))}
    assert visitor.post("/login", form).path == "/certificates"


def test_a_log_in_gets_a_new_session(desk: Desk) -> None:
    """A token that somebody planted before is worth nothing afterwards."""
    limiter.reset()
    visitor = desk.visitor()
    visitor.get("/login")
    planted = visitor.client.get_cookie("pechatnik").value
    visitor.post("/login", {"email": "anna@example.org", "password": PASSWORD})
    assert visitor.client.get_cookie("pechatnik").value != planted
    thief = desk.visitor()
    thief.client.set_cookie("pechatnik", planted)
    assert thief.get("/certificates").status == 302


@pytest.mark.parametrize(
    ("language", "said"),
    [("ru", "Такой страницы нет или она вам недоступна."), ("ar", "لا توجد هذه الصفحة، أو لا يحق لك الاطلاع عليها.")],
)
def test_an_error_page_speaks_one_language(desk: Desk, language: str, said: str) -> None:
    visitor = desk.visitor()
    visitor.post("/language", {"language": language})
    page = visitor.get("/nowhere")
    assert page.status == 404
    assert said in page.words
    assert "server" not in page.words


def rows(desk: Desk) -> int:
    with desk.program.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM web_sessions")).scalar_one())


def test_a_stranger_makes_the_database_write_nothing(desk: Desk) -> None:
    before = rows(desk)
    visitor = desk.visitor()
    visitor.get("/login")
    visitor.post("/language", {"language": "ru"})
    assert 'lang="ru"' in visitor.get("/register").html, "what was chosen is in the cookie"
    assert rows(desk) == before
    cookie = visitor.client.get_cookie("pechatnik")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.origin_only


def test_a_strangers_cookie_is_signed(desk: Desk) -> None:
    visitor = desk.visitor()
    form = {"language": "ru", "csrf_token": visitor.get("/report-loss").value("csrf_token")}
    genuine = visitor.client.get_cookie("pechatnik").value
    elsewhere = URLSafeSerializer("another key", salt="visitor").dumps({"csrf_token": "x"})
    for forged in (genuine[:-3] + "AAA", elsewhere, "", "."):
        visitor.client.set_cookie("pechatnik", forged)
        assert visitor.client.post("/language", data=form).status_code == 400, forged
    visitor.client.set_cookie("pechatnik", genuine)
    assert visitor.client.post("/language", data=form).status_code == 302


def test_a_form_token_from_before_the_log_in_is_worth_nothing_after(desk: Desk) -> None:
    limiter.reset()
    visitor = desk.visitor()
    form = {"language": "en", "csrf_token": visitor.get("/report-loss").value("csrf_token")}
    visitor.post("/login", {"email": "anna@example.org", "password": PASSWORD})
    assert visitor.client.post("/language", data=form).status_code == 400


def test_a_session_that_cannot_be_saved_or_read_is_told_and_nobody_is_logged_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = desk.visitor("anna")
    token = visitor.client.get_cookie("pechatnik").value
    form = {"language": "ru", "csrf_token": visitor.get("/report-loss").value("csrf_token")}

    def busy(*_: object, **__: object) -> Any:
        raise TryAgain("the database is busy or out of reach; try again", retry_after=7)

    for failing in ("save", "load"):
        with monkeypatch.context() as patch:
            patch.setattr(desk.services.sessions, failing, busy)
            answer = visitor.client.post("/language", data=form)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "7"
        assert "busy or out of reach" in answer.text
        assert "location" not in answer.headers
        assert visitor.client.get_cookie("pechatnik").value == token
    assert visitor.get("/certificates").status == 200
