"""The staff's way through their site in a real browser, against a real server process."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

from ca_core.domain.application import Application
from ca_core.services.new_application import NewApplication

PASSWORD = "correct horse battery staple"


def paper(title: str) -> bytes:
    page = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(page).text((20, 20), title, fill="black")
    out = io.BytesIO()
    page.save(out, "PDF")
    return out.getvalue()


def submitted(house: Any) -> Application:
    """An application that two people have to approve, with all its papers."""
    intake, who = house.services.intake, house.subscriber
    made = intake.create(
        who,
        NewApplication(
            profile="private/code-signing", subject={"C": "XX", "O": "Example Ltd", "CN": "Example Ltd"}, centre=None
        ),
    )
    for one in intake.get(who, made.id).requirements:
        house.services.documents.attach(who, made.id, kind=one.kind, filename="paper.pdf", data=paper(one.kind))
    application: Application = intake.submit(who, made.id, version=intake.get(who, made.id).application.version)
    return application


def state(house: Any, application: Application) -> str:
    return str(house.services.intake.get(house.subscriber, application.id).application.state.value)


class Desk:
    """Each member of staff at a machine of his own; a second factor is set up at the first log-in."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._pages: dict[str, Page] = {}
        self.complaints: list[str] = []
        """What the browsers complained about."""

    def __call__(self, name: str, *, width: int = 1280) -> Page:
        """That person's browser, at the first page of the staff."""
        page = self._pages.get(name) or self._log_in(name)
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/admin/")
        return page

    def _log_in(self, name: str) -> Page:
        page = self._browser.new_context(base_url=self._url, locale="en-GB").new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else 0)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/login")
        page.fill("#email", f"{name}@example.org")
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
        page.fill("#code", pyotp.TOTP(page.locator("main code").inner_text()).now())
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/admin/**")
        self._pages[name] = page
        return page

    def close(self) -> None:
        for page in self._pages.values():
            page.context.close()


@pytest.fixture(scope="module")
def desk(browser: Browser, house: Any) -> Iterator[Desk]:
    desk = Desk(browser, house.url)
    yield desk
    desk.close()


def look_at_every_page(page: Page) -> None:
    """Scroll to each picture, as somebody does who reads it; they come with the page that the last click leads to."""
    expect(page.locator("img.page-image")).not_to_have_count(0)
    for picture in page.locator("img.page-image").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("one => one.naturalWidth") > 0


def accept_all(page: Page) -> None:
    while page.get_by_role("button", name="Accept", exact=True).count():
        look_at_every_page(page)
        page.get_by_role("button", name="Accept", exact=True).first.click()
        page.wait_for_load_state()


def say_why(page: Page, what: str, words: str) -> None:
    form = page.locator("details", has=page.locator("summary", has_text=what))
    form.locator("summary").click()
    form.get_by_role("textbox").fill(words)
    form.get_by_role("button", name=what).click()


def test_two_people_decide_and_an_officer_holds(house: Any, desk: Desk) -> None:
    application = submitted(house)
    operator = desk("operator")
    operator.get_by_role("link", name=application.number).click()
    operator.get_by_role("button", name="Take it into review").click()
    look_at_every_page(operator)

    first = operator.locator("article.document").first
    first.locator("summary", has_text="Refuse").click()
    first.get_by_role("combobox").select_option(index=1)
    first.get_by_role("textbox").fill("page 1, at the bottom")
    first.get_by_role("button", name="Refuse this document").click()
    operator.get_by_role("button", name="Return for correction").click()
    assert state(house, application) == "returned"

    view = house.services.intake.get(house.subscriber, application.id)
    refused = next(one for one in view.documents if one.state.value == "refused")
    house.services.documents.attach(
        house.subscriber, application.id, kind=refused.kind, filename="new.pdf", data=paper("corrected")
    )
    again = house.services.intake.get(house.subscriber, application.id).application
    house.services.intake.submit(house.subscriber, application.id, version=again.version)

    operator.goto("/admin/")
    operator.get_by_role("link", name=application.number).click()
    operator.get_by_role("button", name="Take it into review").click()
    operator.get_by_role("button", name="Approve what is shown here").click()
    expect(operator.get_by_role("alert").first).to_contain_text("Not everything was checked")
    accept_all(operator)
    operator.get_by_role("button", name="Approve what is shown here").click()
    assert state(house, application) == "approved-first"

    reviewer = desk("reviewer", width=390)
    reviewer.get_by_role("link", name=re.compile("Second approval")).click()
    reviewer.get_by_role("link", name=application.number).click()
    reviewer.get_by_role("button", name="Take it into review").click()
    look_at_every_page(reviewer)
    reviewer.get_by_role("button", name="Approve what is shown here").click()
    assert state(house, application) == "awaiting-key"

    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    now = house.services.intake.get(house.subscriber, application.id).application
    house.services.requests.receive(
        house.subscriber, application.id, request.public_bytes(Encoding.PEM), version=now.version
    )
    certificate = house.services.issuance.issue(house.subscriber, application.id)

    officer = desk("security-officer")
    officer.get_by_role("link", name="Certificates").click()
    officer.get_by_role("searchbox").fill(certificate.serial.hex)
    officer.get_by_role("button", name="Show").click()
    officer.get_by_role("link", name="Example Ltd").first.click()
    say_why(officer, "Put it on hold", "the subscriber asked for it by telephone")
    expect(officer.get_by_text("It is on hold.")).to_be_visible()
    say_why(officer, "Lift the hold", "it was another certificate")
    expect(officer.get_by_text("The hold is lifted.")).to_be_visible()
    expect(officer.get_by_text("the subscriber asked for it by telephone")).to_be_visible()
    assert house.services.certificates.get(house.subscriber, certificate.id).state.value == "issued"
    unexpected = [one for one in desk.complaints if "422" not in one]
    assert unexpected == [], "the content security policy blocks nothing of ours"


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_its_window(house: Any, desk: Desk, language: str, width: int) -> None:
    application = submitted(house)
    names = {"administrator": ("accounts/",), "security-officer": ("authorities/", "audit/", "jobs/", "certificates/")}
    names["operator"] = ("", "applications/", f"applications/{application.id}")
    for name, paths in names.items():
        page = desk(name, width=width)
        page.locator(f"button[name=language][value={language}]").click()
        for path in paths:
            page.goto(f"/admin/{path}")
            assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
