"""The subscriber's way through the cabinet in a real browser, against a real server process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asn1crypto.keys import EncryptedPrivateKeyInfo
from asn1crypto.pem import unarmor
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.services.new_application import NewApplication

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery staple"
PASSPHRASE = "ключ от печати №1"
"""Not ASCII, so that its encoding matters."""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed: apt-get install chromium")


def paper(place: Path, title: str) -> Path:
    page = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(page).text((20, 20), title, fill="black")
    page.save(place / f"{title}.pdf", "PDF")
    return place / f"{title}.pdf"


@dataclass
class Seen:
    """What the browser complained about and sent."""

    complaints: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def context(browser: Browser, house: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=house.url, accept_downloads=True, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, seen: Seen) -> Page:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda request: seen.sent.append(f"{request.url} {request.post_data_buffer or b''!r}"))
    return page


def log_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Log in").click()


def make_key(page: Page, place: Path, algorithm: str | None = None) -> Path:
    """Make a key on the key page; the file that the browser saves."""
    if algorithm:
        page.select_option("#algorithm", algorithm)
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE)
    with page.expect_download(timeout=120_000) as download:
        page.click("#make")
    file = place / download.value.suggested_filename
    download.value.save_as(file)
    return file


def openssl(*arguments: str, passphrase: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", *arguments], capture_output=True, env={**os.environ, "KEY_PASSPHRASE": passphrase}, timeout=60
    )


def public_key_of(file: Path) -> bytes:
    """The public key of the key file, as openssl finds it with the passphrase."""
    opened = openssl("pkey", "-in", str(file), "-passin", "env:KEY_PASSPHRASE", "-pubout", passphrase=PASSPHRASE)
    assert opened.returncode == 0, opened.stderr
    return opened.stdout


def test_from_registration_to_a_lost_token(house: Any, page: Page, seen: Seen, tmp_path: Path) -> None:
    page.goto("/register")
    page.fill("#name", "Vera Example")
    page.fill("#email", "vera@example.org")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Register").click()
    log_in(page, "vera@example.org")
    expect(page.get_by_text("Nothing is under way")).to_be_visible()

    # Apply.
    page.get_by_role("link", name="New application").click()
    page.get_by_role("link", name="Code signing").click()
    page.get_by_label("Country").fill("XX")
    page.get_by_label("Organisation").fill("Vera Ltd")
    page.get_by_label("Common name").fill("Vera Ltd")
    page.get_by_role("button", name="Save the draft").click()
    number = page.url.rpartition("/")[2]
    for kind in ("request-form", "organisation-letter"):
        page.set_input_files(f"#file-{kind}", paper(tmp_path, kind))
        page.locator(f"#document-{kind}").get_by_role("button", name="Send").click()
        expect(page.locator(f"#document-{kind} .pill")).to_have_text("waits for review")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Decision due by")).to_be_visible()

    # One document is refused and sent again; the other one is not asked for.
    house.decide(number, refusing="request-form")
    page.reload()
    expect(page.locator("#document-request-form .verdict")).to_contain_text("The signature is missing.")
    expect(page.locator("#document-request-form .verdict")).to_contain_text("page 1, at the bottom")
    expect(page.locator("#document-organisation-letter .pill")).to_have_text("accepted")
    page.set_input_files("#file-request-form", paper(tmp_path, "signed now"))
    page.locator("#document-request-form").get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Submit").click()
    house.decide(number)
    page.reload()

    # The key is made in the browser; only the request is sent.
    page.get_by_role("link", name="Make your key").click()
    page.fill("#passphrase", "too short")
    page.click("#make")
    expect(page.locator("#passphrase-error")).to_contain_text("12 characters")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE + "!")
    page.click("#make")
    expect(page.locator("#again-error")).to_contain_text("differ")
    seen.sent.clear()
    key = make_key(page, tmp_path)
    assert key.name == f"{number}-key.pem"
    page.get_by_role("button", name="I have the key file: send the request").click()
    page.get_by_role("button", name="Issue the certificate").click()
    expect(page.get_by_role("heading", name="Check it and accept it")).to_be_visible()
    everything = "".join(seen.sent)
    assert "CERTIFICATE+REQUEST" in everything
    assert "PRIVATE" not in everything
    assert "passphrase" not in everything

    # The downloaded key fits the downloaded certificate, and the chain verifies.
    with page.expect_download() as download:
        page.get_by_role("link", name="Download with its chain").click()
    chain = tmp_path / "chain.pem"
    download.value.save_as(chain)
    certificate, *issuers = x509.load_pem_x509_certificates(chain.read_bytes())
    assert public_key_of(key) == openssl("x509", "-in", str(chain), "-noout", "-pubkey").stdout
    wrong = openssl("pkey", "-in", str(key), "-passin", "env:KEY_PASSPHRASE", passphrase="another passphrase")
    assert wrong.returncode != 0
    (tmp_path / "issuers.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in issuers))
    verified = openssl("verify", "-CAfile", str(tmp_path / "issuers.pem"), str(chain))
    assert verified.returncode == 0, verified.stderr

    # Accept; the code is shown once, and reports the loss without a log-in.
    page.get_by_role("button", name="Accept the certificate").click()
    code = page.locator("#code").inner_text()
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator("body")).not_to_contain_text(code)
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Test").click()
    page.get_by_role("link", name="Report a loss").last.click()
    page.fill("#code", code.lower())
    page.get_by_role("button", name="Put it on hold").click()
    expect(page.get_by_text("The certificate is on hold")).to_be_visible()
    serial = f"{certificate.serial_number:x}"
    held = house.services.certificates.get(SYSTEM_ACTOR, serial)
    assert held.state.value == "held"

    # Found again, then lost for good: the replacement begins with what we know.
    log_in(page, "vera@example.org")
    page.goto(f"/certificates/{held.id}")
    page.get_by_role("button", name="I have it again").click()
    page.get_by_role("link", name="Lost, broken, compromised or changed").click()
    page.get_by_label("The token is lost or stolen").check()
    page.get_by_role("button", name="Report it and apply for a new one").click()
    expect(page.get_by_text("Vera Ltd").first).to_be_visible()
    assert house.services.certificates.get(SYSTEM_ACTOR, serial).state.value == "held"
    assert seen.complaints == []


@pytest.mark.parametrize("algorithm", ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"])
def test_the_browser_makes_requests_and_key_files_that_others_can_read(
    house: Any, page: Page, seen: Seen, tmp_path: Path, algorithm: str
) -> None:
    new = NewApplication(profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"})
    application = house.services.intake.create(house.subscriber, new)
    application = house.services.intake.submit(house.subscriber, application.id, version=application.version)
    house.decide(application.number)
    log_in(page, "subscriber@example.org")
    page.goto(f"/applications/{application.number}/key")
    file = make_key(page, tmp_path, algorithm)
    page.get_by_role("button", name="I have the key file: send the request").click()
    expect(page.get_by_role("button", name="Issue the certificate")).to_be_visible()

    received = house.services.intake.get(house.subscriber, application.id).application
    request = x509.load_der_x509_csr(received.request_der)
    assert request.is_signature_valid
    # Byte for byte what another implementation writes: our DER is DER.
    assert request.public_bytes(Encoding.DER) == received.request_der
    assert request.subject.rfc4514_string() == f"CN={application.number}"
    public = request.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_of(file) == public
    private = load_pem_private_key(file.read_bytes(), PASSPHRASE.encode())
    assert private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) == public
    label, _, der = unarmor(file.read_bytes())
    sealed = EncryptedPrivateKeyInfo.load(der, strict=True)["encryption_algorithm"]
    assert label == "ENCRYPTED PRIVATE KEY"
    assert sealed.dump(force=True) in der
    assert (sealed.kdf, sealed.kdf_hmac, sealed.kdf_iterations) == ("pbkdf2", "sha256", 600_000)
    assert (sealed.encryption_cipher, sealed.key_length) == ("aes", 32)
    assert seen.complaints == []


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_its_window(house: Any, context: BrowserContext, language: str, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, "subscriber@example.org")
    page.locator(f".languages button[value={language}]").click()
    paths = ["/", "/applications", "/applications/new", "/applications/new/ru-63fz/legal-person", "/certificates"]
    paths += ["/notices", "/report-loss"]
    new = NewApplication(profile="private/code-signing", subject={"O": "W" * 64})
    paths.append(f"/applications/{house.services.intake.create(house.subscriber, new).number}")
    for found in house.services.intake.list(house.subscriber, limit=3).items:
        paths += [f"/applications/{found.number}", f"/applications/{found.number}/key"]
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, path
