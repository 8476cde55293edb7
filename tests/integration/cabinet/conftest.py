"""The cabinet's site over a whole authority, asked through HTTP; the authority is made once for each module."""

from __future__ import annotations

import functools
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

import portal
from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate
from ca_core.services.new_application import NewApplication
from pechatnik.config import load
from pechatnik.program import Program
from pechatnik.quickstart import build_upgraded
from web import SiteSettings, create_site
from web.limits import limiter

PASSWORD = "correct horse battery staple"


@functools.cache
def paper(title: str) -> bytes:
    """A PDF with one page."""
    page = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(page).text((20, 20), title, fill="black")
    out = io.BytesIO()
    page.save(out, "PDF")
    return out.getvalue()


def certification_request() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ignored")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Page:
    """An answer, as people and their browsers read it."""

    response: TestResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def words(self) -> str:
        """The text without tags."""
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.html, flags=re.DOTALL)
        return " ".join(html.unescape(text).split())

    @property
    def path(self) -> str:
        """Where the browser ended up."""
        return self.response.request.path

    def value(self, name: str) -> str:
        """What the input, select or text area of that name holds."""
        marked = rf'[^>]*\bname="{re.escape(name)}"[^>]*'
        if area := re.search(rf"<textarea{marked}>(.*?)</textarea>", self.html, flags=re.DOTALL):
            return html.unescape(area[1])
        if select := re.search(rf"<select{marked}>(.*?)</select>", self.html, flags=re.DOTALL):
            chosen = re.search(r'value="([^"]*)" selected', select[1])
            return html.unescape(chosen[1]) if chosen else ""
        if found := re.search(rf"<input({marked})>", self.html, flags=re.DOTALL):
            held = re.search(r'\bvalue="([^"]*)"', found[1])
            return html.unescape(held[1]) if held else ""
        raise AssertionError(f"no input {name!r} on {self.path}")

    def fault(self, id: str) -> str:
        """The error beside the input of that id, to which the input points."""
        assert re.search(rf'id="{re.escape(id)}"[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]+"', self.html)
        found = re.search(rf'<p class="error" id="{re.escape(id)}-error"[^>]*>(.*?)</p>', self.html, flags=re.DOTALL)
        assert found is not None, f"no error beside {id}"
        return html.unescape(found[1])


@dataclass
class Visitor:
    """Somebody at a browser."""

    client: FlaskClient

    def get(self, path: str, **options: Any) -> Page:
        return Page(self.client.get(path, **options))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Page:
        """Send a form of ours."""
        options.setdefault("follow_redirects", True)
        token = self.get("/report-loss").value("csrf_token")
        return Page(self.client.post(path, data={"csrf_token": token, **(data or {})}, **options))


@dataclass
class Desk:
    """The authority behind the site, and its people."""

    program: Program
    site: Flask
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def services(self) -> Any:
        return self.program.services

    def paper(self, title: str) -> bytes:
        return paper(title)

    def certification_request(self) -> str:
        return certification_request()

    def visitor(self, name: str | None = None) -> Visitor:
        """A new browser; logged in when a name is given."""
        visitor = Visitor(self.site.test_client())
        if name is not None:
            limiter.reset()
            answer = visitor.post("/login", {"email": f"{name}@example.org", "password": PASSWORD})
            assert answer.path != "/login", answer.words
        return visitor

    def draft(self, owner: str = "anna", **changes: Any) -> Application:
        """Code signing: two documents, two approvals."""
        new = {"profile": "private/code-signing", "subject": {"C": "XX", "O": "Example Ltd", "CN": "Example Ltd"}}
        return self.services.intake.create(self.actors[owner], NewApplication(**{**new, **changes}))  # type: ignore[no-any-return]

    def current(self, application: Application) -> Application:
        return self.services.intake.get(SYSTEM_ACTOR, application.id).application  # type: ignore[no-any-return]

    def submitted(self, owner: str = "anna", **changes: Any) -> Application:
        application = self.draft(owner, **changes)
        for one in self.services.intake.get(self.actors[owner], application.id).requirements:
            self.services.documents.attach(
                self.actors[owner], application.id, kind=one.kind, filename="paper.pdf", data=paper(one.kind)
            )
        return self.services.intake.submit(  # type: ignore[no-any-return]
            self.actors[owner], application.id, version=self.current(application).version
        )

    def approved(self, owner: str = "anna", **changes: Any) -> Application:
        application = self.submitted(owner, **changes)
        review = self.services.review
        for who in (self.actors["operator"], self.actors["reviewer"]):
            if self.current(application).state.value == "awaiting-key":
                break
            review.claim(who, application.id)
            for document in review.snapshot(who, application.id).documents:
                for page in range(1, document.pages + 1):
                    self.services.documents.page(who, document.id, page)
                if document.state.value == "pending":
                    review.accept_document(who, document.id, version=document.version)
            seen = review.snapshot(who, application.id)
            review.approve(who, application.id, version=seen.application.version, digest=seen.digest)
        return self.current(application)

    def refused(self, application: Application, kind: str, reason: str, note: str = "") -> Application:
        """The operator refuses one document and returns the application."""
        review, operator = self.services.review, self.actors["operator"]
        review.claim(operator, application.id)
        for document in review.snapshot(operator, application.id).documents:
            for page in range(1, document.pages + 1):
                self.services.documents.page(operator, document.id, page)
            if document.kind == kind:
                review.refuse_document(operator, document.id, version=document.version, reason=reason, note=note)
            else:
                review.accept_document(operator, document.id, version=document.version)
        return review.return_for_correction(  # type: ignore[no-any-return]
            operator, application.id, version=self.current(application).version
        )

    def certified(self, owner: str = "anna") -> Certificate:
        """A TLS client's certificate: no documents."""
        application = self.approved(owner, profile="private/tls-client", subject={"O": "Example Ltd", "CN": "client"})
        self.services.requests.receive(
            self.actors[owner], application.id, certification_request().encode(), version=application.version
        )
        return self.services.issuance.issue(self.actors[owner], application.id)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = tmp_path_factory.mktemp("cabinet")
    for folder in ("secrets", "data"):
        (place / folder).mkdir(mode=0o700)
    (place / "secrets" / "passphrase").touch(mode=0o600)
    (place / "secrets" / "passphrase").write_text("only for this test")
    (place / "pechatnik.toml").write_text(
        '[installation]\nname = "Test"\nenvironment = "demo"\ndata = "data"\n[database]\nsynchronous = "NORMAL"\n'
        '[secrets]\npassphrase_file = "secrets/passphrase"\n[server]\ncookies_over_tls_only = false\n'
    )
    program = build_upgraded(place / "pechatnik.toml")
    algorithm = KeyAlgorithm.EC_P256
    program.initialise(
        SYSTEM_ACTOR,
        organization="Test",
        country="XX",
        root_algorithm=algorithm,
        issuing_algorithm=algorithm,
        responder_algorithm=algorithm,
        partitions=0,
    )
    config = load(place / "pechatnik.toml")
    site = create_site(
        program.services,
        SiteSettings(
            name="Test",
            environment=config.installation.environment,
            cookies_over_tls_only=False,
            max_upload=config.uploads.max_bytes,
            csrf_key=program.site_key(),
        ),
    )
    portal.register(site)
    desk = Desk(program=program, site=site)
    _hire(desk)
    yield desk
    program.close()


def _hire(desk: Desk) -> None:
    accounts = desk.services.accounts
    centre = accounts.create_centre(SYSTEM_ACTOR, code="C-1", name="First")
    for name, role in {
        "anna": Role.SUBSCRIBER,
        "boris": Role.SUBSCRIBER,
        "operator": Role.OPERATOR,
        "reviewer": Role.REVIEWER,
    }.items():
        account, _ = accounts.create(
            SYSTEM_ACTOR,
            email=f"{name}@example.org",
            name=name.title(),
            roles=frozenset({role}),
            centres=frozenset({centre.id}) if role is Role.OPERATOR else frozenset(),
            password=PASSWORD,
        )
        desk.actors[name] = account.actor()


@pytest.fixture(scope="module")
def anna_logged_in(desk: Desk) -> Visitor:
    return desk.visitor("anna")


@pytest.fixture
def anna(anna_logged_in: Visitor) -> Visitor:
    limiter.reset()
    return anna_logged_in


@pytest.fixture(scope="module")
def boris(desk: Desk) -> Visitor:
    return desk.visitor("boris")
