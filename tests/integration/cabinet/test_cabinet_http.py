"""The cabinet over HTTP: who gets in, what is kept when something is wrong, and what the pages say."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import UUID

import pytest

from web.limits import limiter

ID = UUID("01a20000-0000-7000-8000-000000000000")
Desk = Any
Visitor = Any
COMPANY = {
    "subject.ST": "77 г. Москва",
    "subject.L": "Москва",
    "subject.O": "ООО «Образец»",
    "subject.CN": "ООО «Образец»",
    "subject.SN": "Образцова",
    "subject.INNLE": "7707083894",
    "identification": "personal",
}
"""An invented company with a wrong check digit."""


@pytest.mark.parametrize(
    "path",
    [
        "/applications",
        "/applications/new",
        "/applications/new/private/code-signing",
        "/applications/2026-000001",
        "/applications/2026-000001/edit",
        "/applications/2026-000001/key",
        "/certificates",
        f"/certificates/{ID}",
        f"/certificates/{ID}/pem",
        f"/certificates/{ID}/replace",
        f"/documents/{ID}",
        f"/documents/{ID}/pages/1.png",
        "/notices",
    ],
)
def test_whoever_is_not_logged_in_is_sent_to_the_log_in_and_back(desk: Desk, path: str) -> None:
    answer = desk.visitor().get(path)
    assert answer.status == 302
    assert answer.response.location.startswith("/login?next=/")


def test_the_start_page_welcomes_a_visitor_and_lets_him_report_a_loss(desk: Desk) -> None:
    page = desk.visitor().get("/")
    assert page.status == 200
    assert 'href="/report-loss"' in page.html
    assert 'href="/login"' in page.html


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("submit", {"version": "1"}),
        ("withdraw", {"version": "1"}),
        ("edit", {"version": "1", "subject.CN": "Mine now"}),
        ("request", {"version": "1", "request": "x"}),
        ("issue", {"version": "1"}),
        ("accept", {"version": "1"}),
        ("documents/request-form", {"file": (io.BytesIO(b"%PDF-1.4"), "a.pdf")}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_subscribers_application_is_not_found(
    desk: Desk, boris: Visitor, what: str, data: dict[str, Any]
) -> None:
    application = desk.draft("anna")
    assert boris.get(f"/applications/{application.number}").status == 404
    assert boris.post(f"/applications/{application.number}/{what}", data).status == 404
    assert desk.current(application) == application


def test_another_subscribers_certificate_and_document_are_not_found(desk: Desk, boris: Visitor) -> None:
    certificate = desk.certified("anna")
    application = desk.submitted("anna")
    document = desk.services.intake.get(desk.actors["anna"], application.id).documents[0]
    for path in (f"/certificates/{certificate.id}", f"/certificates/{certificate.id}/pem", f"/documents/{document.id}"):
        assert boris.get(path).status == 404
    assert boris.get(f"/documents/{document.id}/pages/1.png").status == 404
    for what in ("hold", "found", "replace"):
        data = {"version": "1", "circumstance": "lost"}
        assert boris.post(f"/certificates/{certificate.id}/{what}", data).status == 404
    assert desk.services.certificates.get(desk.actors["anna"], certificate.id).state.value == "issued"


def test_staff_without_a_subscribers_role_have_no_cabinet(desk: Desk) -> None:
    operator = desk.visitor("operator")
    assert operator.get("/").response.location == "/admin/"
    assert operator.get("/applications").status == 403


@pytest.mark.parametrize("what", ["submit", "withdraw", "edit", "issue", "accept", "request"])
def test_a_form_without_its_token_changes_nothing(desk: Desk, anna: Visitor, what: str) -> None:
    application = desk.draft()
    answer = anna.client.post(f"/applications/{application.number}/{what}", data={"version": "1"})
    assert answer.status_code == 400
    assert desk.current(application) == application


def test_a_report_without_its_token_is_refused(desk: Desk) -> None:
    assert desk.visitor().client.post("/report-loss", data={"code": "x"}).status_code == 400


def test_a_stale_version_says_what_happened_and_shows_the_present_state(desk: Desk, anna: Visitor) -> None:
    application = desk.draft()
    desk.services.intake.update(desk.actors["anna"], application.id, version=1, subject={"C": "XX"})
    page = anna.post(f"/applications/{application.number}/withdraw", {"version": "1"})
    assert page.path == f"/applications/{application.number}"
    assert "Meanwhile something was changed here" in page.words
    assert desk.current(application).state.value == "draft"
    assert page.value("version") == "2"


def test_an_edit_on_a_stale_version_keeps_what_was_typed_beside_what_is_on_record(desk: Desk, anna: Visitor) -> None:
    application = desk.draft()
    desk.services.intake.update(
        desk.actors["anna"], application.id, version=1, subject={"C": "XX", "O": "Their Ltd", "CN": "Example Ltd"}
    )
    mine = {"subject.C": "XX", "subject.O": "My Ltd", "subject.CN": "Example Ltd"}
    page = anna.post(f"/applications/{application.number}/edit", {"version": "1", **mine})
    assert page.status == 412
    assert "Meanwhile something was changed here" in page.words
    assert "Organisation My Ltd Their Ltd" in page.words
    assert page.value("subject.O") == "My Ltd"
    again = anna.post(f"/applications/{application.number}/edit", {"version": page.value("version"), **mine})
    assert again.path == f"/applications/{application.number}"
    assert desk.current(application).subject["O"] == "My Ltd"


def test_a_form_without_a_version_is_refused(desk: Desk, anna: Visitor) -> None:
    application = desk.draft()
    assert anna.post(f"/applications/{application.number}/withdraw").status == 422
    assert desk.current(application).state.value == "draft"


def test_a_wrong_check_digit_stands_beside_its_field_and_everything_typed_is_kept(anna: Visitor) -> None:
    page = anna.post("/applications/new/ru-63fz/legal-person", COMPANY)
    assert page.status == 422
    assert "check digits" in page.fault("subject-INNLE")
    assert {name: page.value(name) for name in COMPANY} == COMPANY


def test_a_wrong_alternative_name_stands_beside_the_text_that_holds_it(anna: Visitor) -> None:
    typed = {"subject.CN": "a", "san": "good.example\nnot a name"}
    page = anna.post("/applications/new/private/tls-server", typed)
    assert page.status == 422
    assert page.fault("san")
    assert page.value("san") == "good.example\nnot a name"


def test_a_wrong_edit_keeps_what_was_typed_and_stores_nothing(desk: Desk, anna: Visitor) -> None:
    application = desk.draft()
    page = anna.post(
        f"/applications/{application.number}/edit",
        {"version": "1", "subject.C": "xx", "subject.O": '<b>100%</b> "Ltd"', "subject.CN": "c"},
    )
    assert page.status == 422
    assert page.fault("subject-C")
    assert page.value("subject.O") == '<b>100%</b> "Ltd"'
    assert "<b>100%" not in page.html
    assert desk.current(application) == application


def test_a_draft_may_have_gaps_that_submitting_points_at(desk: Desk, anna: Visitor) -> None:
    page = anna.post("/applications/new/private/code-signing", {"subject.O": "Example Ltd"})
    number = page.path.rpartition("/")[2]
    page = anna.post(f"/applications/{number}/submit", {"version": "1"})
    assert page.status == 422
    assert page.fault("subject-CN") == "this is required"
    assert page.value("subject.O") == "Example Ltd"


def test_submitting_without_documents_says_so_beside_each(desk: Desk, anna: Visitor) -> None:
    application = desk.draft()
    page = anna.post(f"/applications/{application.number}/submit", {"version": "1"})
    assert page.status == 422
    for kind in ("request-form", "organisation-letter"):
        assert f'id="error-{kind}"' in page.html


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.pdf", b"hello", "not a PDF"), ("a.pdf", b"", "empty"), ("", b"", "choose a file first")],
    ids=["text", "empty", "nothing chosen"],
)
def test_a_bad_upload_is_explained_beside_its_document(
    desk: Desk, anna: Visitor, name: str, content: bytes, says: str
) -> None:
    application = desk.draft()
    data = {"file": (io.BytesIO(content), name), "version": "1"}
    page = anna.post(f"/applications/{application.number}/documents/request-form", data)
    assert page.status == 422
    shown = re.search(r'id="error-request-form"[^>]*>(.*?)</p>', page.html)
    assert shown is not None
    assert says in shown[1]
    assert not desk.services.intake.get(desk.actors["anna"], application.id).documents


def test_only_the_refused_document_is_asked_for_again_with_its_reason(desk: Desk, anna: Visitor) -> None:
    application = desk.refused(desk.submitted(), "organisation-letter", "unreadable", "the stamp is cut off")
    anna.post("/language", {"language": "ru"})
    page = anna.get(f"/applications/{application.number}")
    anna.post("/language", {"language": "en"})
    assert "Изображение нечитаемо" in page.words
    assert "the stamp is cut off" in page.words
    wanted = re.findall(r'<a href="#document-([\w-]+)">', page.html)
    assert wanted == ["organisation-letter"]


def test_the_same_file_again_is_refused_and_a_better_one_taken(desk: Desk, anna: Visitor) -> None:
    application = desk.refused(desk.submitted(), "request-form", "not-signed")
    address = f"/applications/{application.number}/documents/request-form"
    same = anna.post(address, {"file": (io.BytesIO(desk.paper("request-form")), "paper.pdf")})
    assert "this is the file that was refused" in same.words
    better = anna.post(address, {"file": (io.BytesIO(desk.paper("signed now")), "paper.pdf")})
    assert "The document has arrived" in better.words
    page = anna.post(f"/applications/{application.number}/submit", {"version": better.value("version")})
    assert "Your application was submitted" in page.words


def test_a_document_is_shown_page_by_page(desk: Desk, anna: Visitor) -> None:
    application = desk.submitted()
    document = desk.services.intake.get(desk.actors["anna"], application.id).documents[0]
    assert f"/documents/{document.id}/pages/1.png" in anna.get(f"/documents/{document.id}").html
    picture = anna.get(f"/documents/{document.id}/pages/1.png").response
    assert picture.mimetype == "image/png"
    assert picture.data.startswith(b"\x89PNG")
    assert anna.get(f"/documents/{document.id}/pages/2.png").status == 404


def test_a_request_that_is_none_is_explained_and_kept(desk: Desk, anna: Visitor) -> None:
    application = desk.approved(profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"})
    typed = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"
    page = anna.post(f"/applications/{application.number}/request", {"version": application.version, "request": typed})
    assert page.status == 422
    assert page.fault("request")
    assert page.value("request") == typed
    assert desk.current(application) == application


def test_ones_own_request_leads_to_a_certificate_and_its_code(desk: Desk, anna: Visitor) -> None:
    application = desk.approved(profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"})
    address = f"/applications/{application.number}"
    request = desk.certification_request()
    page = anna.post(f"{address}/request", {"version": application.version, "request": request})
    assert "O=Example Ltd" in page.words
    page = anna.post(f"{address}/issue", {"version": page.value("version")})
    assert page.path.startswith("/certificates/")
    for format, start in (("pem", b"-----BEGIN CERTIFICATE"), ("der", b"\x30\x82"), ("chain", b"-----BEGIN")):
        answer = anna.get(f"{page.path}/{format}").response
        assert answer.data.startswith(start)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
    version = page.value("version")
    page = anna.post(f"{address}/accept", {"version": version})
    code = re.search(r'<code id="code">([A-Z2-7-]+)</code>', page.html)
    assert code is not None
    assert page.response.headers["Cache-Control"] == "no-store"
    again = anna.post(f"{address}/accept", {"version": version})
    assert code[1] not in again.html

    limiter.reset()
    stranger = desk.visitor()
    reported = stranger.post("/report-loss", {"code": code[1].lower().replace("-", " ")})
    assert "is on hold" in reported.words
    certificate = desk.services.certificates.list(desk.actors["anna"], states=("held",)).items[0]
    assert certificate.serial.hex in reported.words
    lifted = anna.post(f"/certificates/{certificate.id}/found", {"version": certificate.version})
    assert "valid again" in lifted.words


def test_a_wrong_code_is_kept_for_correction_and_guessing_is_slowed(desk: Desk) -> None:
    limiter.reset()
    visitor = desk.visitor()
    page = visitor.post("/report-loss", {"code": "AAAA-BBBB"})
    assert page.status == 404
    assert "no certificate has this code" in page.fault("code")
    assert page.value("code") == "AAAA-BBBB"
    statuses = [visitor.post("/report-loss", {"code": "AAAA-BBBB"}).status for _ in range(5)]
    assert statuses == [404, 404, 404, 404, 429]
    limiter.reset()


def test_a_hold_is_the_subscribers_to_set_and_to_lift(desk: Desk, anna: Visitor) -> None:
    certificate = desk.certified()
    page = anna.post(f"/certificates/{certificate.id}/hold", {"version": "99"})
    assert "Meanwhile something was changed here" in page.words
    page = anna.post(f"/certificates/{certificate.id}/hold", {"version": certificate.version})
    assert "The certificate is on hold" in page.words
    assert "lift the hold" in page.words
    page = anna.post(f"/certificates/{certificate.id}/found", {"version": page.value("version")})
    assert "The hold is lifted" in page.words


@pytest.mark.parametrize(
    ("circumstance", "state"),
    [("lost", "held"), ("compromised", "revoked"), ("broken", "issued"), ("data-changed", "issued")],
)
def test_a_report_opens_the_application_for_a_new_one(desk: Desk, anna: Visitor, circumstance: str, state: str) -> None:
    certificate = desk.certified()
    page = anna.post(f"/certificates/{certificate.id}/replace", {"circumstance": circumstance})
    assert "Your report is on record" in page.words
    assert f"/certificates/{certificate.id}" in page.html
    assert desk.services.certificates.get(desk.actors["anna"], certificate.id).state.value == state
    assert page.path.rpartition("/")[2] in anna.get(f"/certificates/{certificate.id}").words


def test_a_report_has_to_say_what_happened(desk: Desk, anna: Visitor) -> None:
    certificate = desk.certified()
    page = anna.post(f"/certificates/{certificate.id}/replace", {"circumstance": "bored"})
    assert page.status == 422
    assert "say what happened" in page.words


def test_lists_are_searched_and_paged(desk: Desk) -> None:
    boris = desk.visitor("boris")
    made = [desk.draft("boris", subject={"C": "XX", "O": f"House {n} Ltd"}) for n in range(23)]
    first = boris.get("/applications")
    numbers = re.findall(r'href="/applications/(\d{4}-\d{6})"', first.html)
    following = re.search(r'rel="next" href="([^"]+)"', first.html)
    assert following is not None
    rest = re.findall(r'href="/applications/(\d{4}-\d{6})"', boris.get(following[1].replace("&amp;", "&")).html)
    assert sorted(numbers + rest) == sorted(one.number for one in made)
    found = boris.get("/applications?text=House+7+Ltd")
    assert re.findall(r'href="/applications/(\d{4}-\d{6})"', found.html) == [made[7].number]
    assert "Nothing fits" in boris.get("/applications?state=issued").words
    assert boris.get("/applications?state=nonsense&cursor=nonsense").status in (200, 422)


def test_somebody_new_is_told_where_to_begin(desk: Desk, boris: Visitor) -> None:
    assert "You have no certificate yet" in boris.get("/certificates").words
    assert 'href="/applications/new"' in boris.get("/").html


def test_the_overview_says_what_is_next(desk: Desk, anna: Visitor) -> None:
    application = desk.submitted()
    page = anna.get("/")
    assert application.number in page.words
    assert "It is our turn: we check your documents." in page.words
    assert f"Application {application.number} was submitted" in page.words


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ru", "ltr"), ("ar", "rtl")])
def test_pages_speak_the_chosen_language_and_keep_the_policy(
    desk: Desk, anna: Visitor, language: str, direction: str
) -> None:
    application = desk.approved(profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"})
    certificate = desk.certified()
    anna.post("/language", {"language": language})
    paths = ["/", "/applications", "/applications/new", "/applications/new/private/tls-server", "/certificates"]
    paths += [f"/applications/{application.number}", f"/applications/{application.number}/key", "/notices"]
    paths += [f"/certificates/{certificate.id}", f"/certificates/{certificate.id}/replace", "/report-loss"]
    pages = [anna.get(path) for path in paths]
    anna.post("/language", {"language": "en"})
    for page in pages:
        assert page.status == 200, page.path
        assert f'<html lang="{language}" dir="{direction}">' in page.html
        # Nothing inline: the content security policy would stop it. Nothing from elsewhere.
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.html)
        assert all("nonce=" in tag and "src=" in tag for tag in re.findall(r"<script[^>]*>", page.html))
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.html)
        ids = re.findall(r'\bid="([^"]+)"', page.html)
        assert len(ids) == len(set(ids)), page.path
        inputs = re.findall(r'<(?:input|select|textarea)\b(?![^>]*type="(?:hidden|radio)")[^>]*>', page.html)
        assert all(re.search(r'\bid="', one) for one in inputs), page.path


def test_uploads_are_counted_for_each_subscriber(desk: Desk, anna: Visitor, boris: Visitor) -> None:
    statuses = [anna.post("/applications/1999-000001/documents/request-form").status for _ in range(61)]
    assert statuses == [404] * 60 + [429]
    assert boris.post("/applications/1999-000001/documents/request-form").status == 404
    limiter.reset()
