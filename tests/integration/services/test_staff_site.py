"""The staff's site over HTTP: who gets in, what each role opens, and what a form cannot do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from flask_admin.model import BaseModelView
from sqlalchemy import text
from werkzeug.test import Client, TestResponse

import admin as staff
from admin.guard import GuardedView
from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.errors import NotAuthenticated
from pechatnik.wsgi import compose
from web import SiteSettings, create_site
from web.limits import limiter

PASSWORD = "correct horse battery staple"
STAFF = ("operator", "second_operator", "elsewhere", "reviewer", "officer", "auditor", "support", "administrator")
OPENS = {
    "/admin/applications/": {"operator", "second_operator", "elsewhere", "reviewer", "officer", "auditor", "support"},
    "/admin/certificates/": {"operator", "second_operator", "elsewhere", "reviewer", "officer", "auditor", "support"},
    "/admin/authorities/": {"officer", "auditor", "administrator"},
    "/admin/accounts/": {"auditor", "administrator"},
    "/admin/audit/": {"officer", "auditor"},
    "/admin/jobs/": {"officer", "auditor", "administrator"},
}


class Visitor:
    """A browser without scripts: keeps cookies, sends the form tokens it was given."""

    def __init__(self, application: Any, secret: str = "") -> None:
        self.client = Client(application)
        self.token = ""
        self.secret = secret

    def code(self, moment: datetime) -> str:
        """The one-time code of that moment."""
        return pyotp.TOTP(self.secret).at(moment)

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path)
        if found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text if answer.is_json is False else ""):
            self.token = found[1]
        return answer

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **fields})

    def log_in(self, name: str, code: str | None = None) -> TestResponse:
        limiter.reset()
        self.get("/login")
        return self.post("/login", email=f"{name}@example.org", password=PASSWORD, totp=code or "", next="/")


@pytest.fixture
def database() -> str:
    """The site knows no database; its services are tested on both."""
    return "sqlite"


@pytest.fixture
def enter(house: Any, clock: Any) -> Any:
    """``enter("operator")`` is that person's browser, logged in with a second factor."""
    application = compose(house.program)
    secrets: dict[str, str] = {}

    def make(name: str) -> Visitor:
        if name == "anonymous":
            return Visitor(application)
        if name in (*STAFF, "second_administrator") and name not in secrets:
            accounts = house.services.accounts
            secrets[name], _ = accounts.enrol_totp(getattr(house, name))
            accounts.confirm_totp(getattr(house, name), secrets[name], pyotp.TOTP(secrets[name]).at(clock()))
        clock.advance(timedelta(minutes=2))
        visitor = Visitor(application, secrets.get(name, ""))
        code = visitor.code(clock()) if name in secrets else None
        assert visitor.log_in(name, code).status_code == 302
        return visitor

    return make


@pytest.mark.parametrize("name", STAFF)
def test_invariant_13_each_role_opens_its_own_pages_and_no_other(enter: Any, name: str) -> None:
    visitor = enter(name)
    for path, roles in OPENS.items():
        assert visitor.get(path).status_code == (200 if name in roles else 403), path
    home = visitor.get("/admin/")
    assert home.status_code == (200 if name in ("operator", "second_operator", "elsewhere", "reviewer") else 302)


@pytest.mark.parametrize("name", ["anonymous", "subscriber"])
def test_invariant_13_no_page_of_the_staff_opens_for_others(house: Any, enter: Any, name: str) -> None:
    visitor = enter(name)
    application = house.submit(house.apply(house.signing()))
    document = house.services.intake.get(house.subscriber, application.id).documents[0]
    paths = [*OPENS, "/admin/", f"/admin/applications/{application.id}", "/admin/audit/export.jsonl"]
    paths.append(f"/admin/applications/{application.id}/documents/{document.id}/1.png")
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == (403 if name == "subscriber" else 302), path
        if name == "anonymous":
            assert answer.location.startswith("/login?next=")


def staff_site(house: Any) -> Flask:
    settings = SiteSettings(
        name="T",
        environment=house.program.config.installation.environment,
        cookies_over_tls_only=False,
        max_upload=1,
        csrf_key=b"x",
    )
    site = create_site(house.services, settings)
    staff.register(site, crls=house.program.crls)
    return site


def every_address(house: Any) -> list[tuple[str, str]]:
    """Method and path of all that is registered below /admin/; whatever is added later is among it."""
    site = staff_site(house)
    sample = {"id": UUID(int=5), "document": UUID(int=6), "number": 1}
    found = []
    for rule in site.url_map.iter_rules():
        if rule.rule.startswith("/admin/"):
            with site.test_request_context():
                path = site.url_for(rule.endpoint, **{name: sample[name] for name in rule.arguments})
            found += [(method, path) for method in ("GET", "POST") if method in (rule.methods or ())]
    assert len(found) > 25
    return found


@pytest.mark.parametrize("name", ["anonymous", "subscriber", *STAFF])
def test_invariant_13_every_endpoint_is_closed_to_whom_it_is_not_for(house: Any, enter: Any, name: str) -> None:
    visitor = enter(name)
    visitor.get("/login")
    for method, path in every_address(house):
        for page, roles in OPENS.items():
            if path.startswith(page) and name in roles:
                break
        else:
            if path == "/admin/" and name in STAFF:
                continue
            answer = visitor.client.get(path) if method == "GET" else visitor.post(path, version=1)
            expected = {"GET": 302, "POST": 401}[method] if name == "anonymous" else 403
            assert answer.status_code == expected, (method, path)


def test_staff_set_up_a_second_factor_before_anything_else(house: Any) -> None:
    visitor = Visitor(compose(house.program))
    answer = visitor.log_in("operator")
    assert answer.location.endswith("/second-factor")
    assert visitor.get("/admin/").status_code == 403
    secret = re.search(r'name="secret" value="([A-Z2-7]+)"', visitor.get("/second-factor").text)[1]  # type: ignore[index]
    with house.program.engine.connect() as connection:
        kept = connection.execute(text("SELECT * FROM web_sessions")).all()
    assert secret not in str(kept), "nothing keeps it before a code showed that it is in use"
    for secret_sent, code in ((secret, "000000"), ("short", "000000"), ("", "")):
        assert visitor.post("/second-factor", secret=secret_sent, code=code).status_code == 422
    right = pyotp.TOTP(secret).at(house.program.clock())
    assert visitor.post("/second-factor", secret=secret, code=right).location == "/admin/"
    assert visitor.get("/admin/").status_code == 200
    assert visitor.post("/second-factor", secret=secret, code=right).status_code == 409


def test_the_review_on_the_site(house: Any, enter: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    operator = enter("operator")
    queue = operator.get("/admin/")
    assert application.number in queue.text
    path = f"/admin/applications/{application.id}"
    operator.get(path)
    assert operator.post(f"{path}/claim").status_code == 302
    screen = operator.get(path).text
    for document in house.services.intake.get(house.operator, application.id).documents:
        picture = operator.client.get(f"{path}/documents/{document.id}/1.png")
        assert picture.data.startswith(b"\x89PNG")
        answer = operator.post(f"{path}/verdict", document=document.id, version=document.version, verdict="accept")
        assert answer.status_code == 302
    old_digest = re.search(r'name="digest" value="([0-9a-f]{64})"', screen)[1]  # type: ignore[index]
    version = house.current(application).version
    refused = operator.post(f"{path}/decision", decision="approve", version=version, digest=old_digest)
    assert refused.status_code == 302
    assert house.current(application).state.value == "in-review", "what was shown has changed since"
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', operator.get(path).text)[1]  # type: ignore[index]
    assert operator.post(f"{path}/decision", decision="approve", version=version, digest=digest).status_code == 302
    assert house.current(application).state.value == "approved-first"
    replayed = operator.post(f"{path}/decision", decision="approve", version=version, digest=digest)
    assert replayed.status_code == 302
    assert house.services.intake.get(house.operator, application.id).approvals == 1, "a replayed form does nothing"


def test_a_refusal_without_a_reason_keeps_what_was_typed(house: Any, enter: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    operator = enter("operator")
    path = f"/admin/applications/{application.id}"
    operator.get(path)
    operator.post(f"{path}/claim")
    document = house.services.intake.get(house.operator, application.id).documents[0]
    answer = operator.post(
        f"{path}/verdict", document=document.id, version=document.version, verdict="refuse", note="much too dark"
    )
    assert answer.status_code == 422
    assert "much too dark" in answer.text
    returned = operator.post(f"{path}/decision", decision="return", version=house.current(application).version, note="")
    assert returned.status_code == 422


def test_an_old_log_in_is_asked_for_its_password_before_a_decision(house: Any, enter: Any, clock: Any) -> None:
    application = house.submit(house.apply())
    operator = enter("operator")
    path = f"/admin/applications/{application.id}"
    operator.get(path)
    operator.post(f"{path}/claim")
    clock.advance(timedelta(minutes=16))
    version = house.current(application).version
    typed = {"decision": "reject", "version": version, "note": "not legible"}
    answer = operator.post(f"{path}/decision", **typed)
    assert answer.status_code == 401
    assert "not legible" in answer.text, "what was typed stays"
    assert operator.post(f"{path}/decision", **typed, password="wrong", totp="000000").status_code == 401
    assert house.current(application).state.value == "in-review"
    code = operator.code(clock())
    assert operator.post(f"{path}/decision", **typed, password=PASSWORD, totp=code).status_code == 302
    assert house.current(application).state.value == "rejected"


def test_who_entered_it_does_not_approve_it_on_the_site_either(house: Any, enter: Any) -> None:
    application = house.apply(replace(house.tls(), owner=house.subscriber.id), by=house.operator)
    application = house.submit(application, by=house.operator)
    operator = enter("operator")
    path = f"/admin/applications/{application.id}"
    operator.get(path)
    operator.post(f"{path}/claim")
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', operator.get(path).text)[1]  # type: ignore[index]
    version = house.current(application).version
    answer = operator.post(f"{path}/decision", decision="approve", version=version, digest=digest)
    assert answer.status_code == 403
    assert house.current(application).state.value == "in-review"


def test_invariant_13_another_centre_gets_not_found(house: Any, enter: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    certificate = house.issued()
    document = house.services.intake.get(house.subscriber, application.id).documents[0]
    visitor = enter("elsewhere")
    for path in (
        f"/admin/applications/{application.id}",
        f"/admin/applications/{application.id}/documents/{document.id}/1.png",
        f"/admin/certificates/{certificate.id}",
    ):
        assert visitor.get(path).status_code == 404, path
    assert (
        visitor.post(
            f"/admin/certificates/{certificate.id}/hold", version=certificate.version, because="a test"
        ).status_code
        == 404
    )
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "issued"


def test_a_form_without_its_token_does_nothing(house: Any, enter: Any) -> None:
    certificate = house.issued()
    officer = enter("officer")
    answer = officer.client.post(f"/admin/certificates/{certificate.id}/hold", data={"version": certificate.version})
    assert answer.status_code == 400
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "issued"


def test_hold_unhold_revoke_and_a_stale_form(house: Any, enter: Any) -> None:
    certificate = house.issued()
    officer = enter("officer")
    path = f"/admin/certificates/{certificate.id}"
    officer.get(path)
    officer.post(f"{path}/hold", version=certificate.version, because="a test")
    now = house.services.certificates.get(house.officer, certificate.id)
    assert now.state.value == "held"
    officer.post(f"{path}/unhold", version=certificate.version, because="a test")
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "held", "a stale form"
    assert "decide again" in officer.get(path).text
    officer.post(f"{path}/unhold", version=now.version, because="a test")
    now = house.services.certificates.get(house.officer, certificate.id)
    assert now.state.value == "issued"
    assert "a test" in officer.get(path).text, "why it was done"
    assert officer.post(f"{path}/revoke", version=now.version, reason="superseded").status_code == 422
    silent = officer.post(f"{path}/revoke", version=now.version, reason="superseded", sure="yes")
    assert (silent.status_code, "say why" in silent.text) == (422, True)
    officer.post(f"{path}/revoke", version=now.version, reason="superseded", sure="yes", because="a test")
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "revoked"


def test_a_replacement_that_revokes_asks_for_a_fresh_password_and_a_ground(house: Any, enter: Any, clock: Any) -> None:
    certificate, operator = house.issued(), enter("operator")
    path = f"/admin/certificates/{certificate.id}"
    operator.get(path)
    clock.advance(timedelta(minutes=16))
    form = {"version": certificate.version, "circumstance": "compromised"}
    stale = operator.post(f"{path}/replace", **form, because="it was copied")
    assert (stale.status_code, "it was copied" in stale.text) == (401, True)
    operator = enter("operator")
    operator.get(path)
    silent = operator.post(f"{path}/replace", **form)
    assert (silent.status_code, "say why" in silent.text) == (422, True)
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "issued"
    assert operator.post(f"{path}/replace", **form, because="it was copied").status_code == 302
    assert house.services.certificates.get(house.officer, certificate.id).state.value == "revoked"


def test_an_administrator_makes_accounts_and_never_changes_his_own(house: Any, enter: Any) -> None:
    visitor = enter("administrator")
    visitor.get("/admin/accounts/")
    made = visitor.post("/admin/accounts/", email="new@example.org", name="New", roles=["auditor"])
    assert made.status_code == 200
    assert "new@example.org" in made.text
    wrong = visitor.post("/admin/accounts/", email="not an address", name="Kept", roles=["auditor"])
    assert wrong.status_code == 422
    assert "Kept" in wrong.text
    own = house.administrator.id
    answer = visitor.post(f"/admin/accounts/{own}/roles", version=1, roles=["administrator", "security-officer"])
    assert answer.status_code in (302, 403)
    account = house.services.accounts.get(house.administrator, own)
    assert {role.value for role in account.roles} == {"administrator"}


def test_an_administrator_sees_and_revokes_the_api_tokens_of_an_account_and_an_auditor_only_sees(
    house: Any, enter: Any
) -> None:
    tokens, page = house.services.tokens, f"/admin/accounts/{house.operator.id}"
    _, secret = tokens.create(house.operator, label="scanner", scopes=house.operator.permissions, days=1)
    auditor, administrator = enter("auditor"), enter("administrator")
    assert "scanner" in auditor.get(page).text
    assert f"{page}/tokens" not in auditor.get(page).text
    assert auditor.post(f"{page}/tokens").status_code == 403
    assert tokens.authenticate(secret)
    assert f"{page}/tokens" in administrator.get(page).text
    assert administrator.post(f"{page}/tokens").status_code == 302
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(secret)
    assert "scanner" not in administrator.get(page).text


def test_two_administrators_make_an_operator_on_the_site(house: Any, enter: Any) -> None:
    accounts = house.services.accounts
    colleague, _ = accounts.create(
        SYSTEM_ACTOR, email="second_administrator@example.org", name="Second", roles={Role.ADMINISTRATOR},
        password=PASSWORD,
    )  # fmt: skip
    house.second_administrator = colleague.actor()
    first, second = enter("administrator"), enter("second_administrator")
    first.get("/admin/accounts/")
    made = first.post("/admin/accounts/", email="new@example.org", name="New", roles=["operator"])
    assert "the first half" in made.text
    half = password_on(made)
    (change,) = accounts.changes_waiting(house.administrator)
    path = f"/admin/accounts/changes/{change.id}"
    page = first.get("/admin/accounts/").text
    assert f"{path}/refuse" in page
    assert f"{path}/confirm" not in page
    assert first.post(f"{path}/confirm").status_code == 403
    assert f"{path}/confirm" in second.get(f"/admin/accounts/{change.account}").text
    confirmed = second.post(f"{path}/confirm")
    assert "the second half" in confirmed.text
    whole = half + password_on(confirmed)
    assert accounts.log_in(email="new@example.org", password=whole, source="").roles == {Role.OPERATOR}
    assert second.post(f"{path}/confirm").status_code == 302, "decided already"


def test_a_change_is_confirmed_with_a_fresh_password_and_refused_by_whoever_asked(
    house: Any, enter: Any, clock: Any
) -> None:
    accounts = house.services.accounts
    colleague, _ = accounts.create(
        SYSTEM_ACTOR, email="second_administrator@example.org", name="Second", roles={Role.ADMINISTRATOR},
        password=PASSWORD,
    )  # fmt: skip
    house.second_administrator = colleague.actor()
    accounts.reset_access(house.administrator, house.reviewer.id)
    (change,) = accounts.changes_waiting(house.administrator)
    path = f"/admin/accounts/changes/{change.id}"
    second = enter("second_administrator")
    second.get("/admin/accounts/")
    clock.advance(timedelta(minutes=16))
    assert second.post(f"{path}/confirm").status_code == 401
    first = enter("administrator")
    first.get("/admin/accounts/")
    assert first.post(f"{path}/refuse").status_code == 302
    assert accounts.changes_waiting(house.administrator) == []


def password_on(page: TestResponse) -> str:
    found = re.search(r"<code>([^<]+)</code>", page.text)
    assert found is not None
    return found[1]


def test_auditors_verify_and_export_the_record(house: Any, enter: Any) -> None:
    visitor = enter("auditor")
    visitor.get("/admin/audit/")
    assert "whole" in visitor.post("/admin/audit/verify").text
    export = visitor.client.get("/admin/audit/export.jsonl")
    assert export.status_code == 200
    assert export.text.count("\n") > 10


def test_pages_run_no_script_of_others_and_stay_in_no_cache(enter: Any) -> None:
    answer = enter("operator").get("/admin/")
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "http://" not in re.sub(r'xmlns="[^"]*"', "", answer.text).replace("http://pki.example.com", "")


def test_a_first_password_is_changed_by_its_owner_and_every_log_in_ends(enter: Any) -> None:
    here, elsewhere = enter("operator"), enter("operator")
    here.get("/password")
    wrong = here.post("/password", current="not it at all", new="another long password")
    assert wrong.status_code == 422
    short = here.post("/password", current=PASSWORD, new="short")
    assert short.status_code == 422
    assert here.post("/password", current=PASSWORD, new="another long password").status_code == 302
    for visitor in (here, elsewhere):
        assert visitor.get("/admin/").location.startswith("/login")


# What Flask-Admin does by itself that must not happen here


def test_invariant_13_every_view_is_guarded_and_none_edits_rows(house: Any) -> None:
    """Its own views are open to everybody, and its model views write rows past the services."""
    views = staff_site(house).extensions["admin"][0]._views
    assert len(views) == len(OPENS) + 1
    for view in views:
        assert isinstance(view, GuardedView), view
        assert not isinstance(view, BaseModelView), view


def test_a_type_error_in_a_view_is_reported_as_it_is_and_nothing_is_done_twice(house: Any) -> None:
    """Flask-Admin calls a view that raised TypeError again, in another way."""
    calls = []

    def faulty(view: object, **arguments: object) -> None:
        calls.append(arguments)
        raise TypeError("the true cause")

    view = staff_site(house).extensions["admin"][0]._views[-1]
    with pytest.raises(TypeError, match="the true cause"):
        view._run_view(faulty, id=1)
    assert calls == [{"id": 1}]


def test_every_form_of_the_staff_needs_its_token(house: Any, enter: Any) -> None:
    for name in ("operator", "officer", "administrator"):
        visitor = enter(name)
        before = len(house.services.audit.list(house.auditor, limit=1000))
        for method, path in every_address(house):
            if method == "POST":
                assert visitor.client.post(path, data={"version": 1}).status_code == 400, path
        assert len(house.services.audit.list(house.auditor, limit=1000)) == before


def test_nothing_is_done_by_following_a_link(house: Any) -> None:
    site = staff_site(house)
    readers = {rule.rule for rule in site.url_map.iter_rules() if "GET" in (rule.methods or ())}
    writers = {rule.rule for rule in site.url_map.iter_rules() if "POST" in (rule.methods or ())}
    # The list and the form that adds to it.
    assert {rule for rule in readers & writers if rule.startswith("/admin/")} == {"/admin/accounts/"}


def test_flask_admins_own_scripts_are_not_served(enter: Any) -> None:
    assert enter("operator").get("/admin/static/vendor/jquery.min.js").status_code == 404


def test_what_people_type_is_text_on_every_page(house: Any, enter: Any) -> None:
    hostile = '<script>alert(1)</script>"onload="x'
    application = house.submit(house.apply(replace(house.signing(), subject={**house.signing().subject, "O": hostile})))
    operator = enter("operator")
    for path in ("/admin/?tab=all", "/admin/applications/", f"/admin/applications/{application.id}"):
        page = operator.get(path).text
        assert application.number in page
        assert "<script>alert" not in page
    searched = operator.client.get("/admin/applications/", query_string={"text": hostile}).text
    assert "<script>alert" not in searched
    assert '"onload="' not in searched


def test_pages_of_the_staff_are_whole_documents_without_anything_inline(house: Any, enter: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    pages = [enter("operator").get(f"/admin/applications/{application.id}")]
    pages += [enter("auditor").get(path) for path in OPENS]
    for page in pages:
        assert page.status_code == 200
        assert '<html lang="en" dir="ltr">' in page.text
        assert page.text.count("<main") == page.text.count("<h1") == 1
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.text)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
