"""A whole authority on a real database with real keys, sandbox and packs; only time is the test's own."""

from __future__ import annotations

import functools
import io
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image, ImageDraw

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate
from ca_core.services.new_application import NewApplication
from pechatnik.bootstrap import build
from pechatnik.config import load
from pechatnik.program import Program

NUMBERS = itertools.count(1)
PASSWORD = "correct horse battery staple"


@functools.cache
def specimen(title: str) -> bytes:
    page = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(page).text((20, 20), title, fill="black")
    out = io.BytesIO()
    page.save(out, "PDF")
    return out.getvalue()


def request_for(key: Any = None) -> bytes:
    key = key or ec.generate_private_key(ec.SECP256R1())
    digest = hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ignored")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest).public_bytes(Encoding.PEM)


@dataclass
class House:
    """The program, its people, and the steps of the journey as one call each."""

    program: Program
    centre: UUID
    other_centre: UUID
    subscriber: Actor
    stranger: Actor
    operator: Actor
    second_operator: Actor
    elsewhere: Actor
    reviewer: Actor
    officer: Actor
    auditor: Actor
    support: Actor
    administrator: Actor
    observed: list[str] = field(default_factory=list)

    @property
    def services(self) -> Any:
        return self.program.services

    def tls(self, actor: Actor | None = None) -> NewApplication:
        return NewApplication(
            profile="private/tls-client",
            subject={"O": "Example Ltd", "CN": "client"},
            centre=self.centre,
            owner=None if actor is None else actor.id,
        )

    def signing(self) -> NewApplication:
        return NewApplication(
            profile="private/code-signing",
            subject={"C": "XX", "O": "Example Ltd", "CN": "Example Ltd"},
            centre=self.centre,
        )

    def apply(self, new: NewApplication | None = None, by: Actor | None = None) -> Application:
        return self.services.intake.create(by or self.subscriber, new or self.tls())

    def attach(self, application: Application, kind: str, by: Actor | None = None, title: str = "") -> Any:
        return self.services.documents.attach(
            by or self.subscriber, application.id, kind=kind, filename=f"{kind}.pdf", data=specimen(title or kind)
        )

    def current(self, application: Application) -> Application:
        return self.services.intake.get(SYSTEM_ACTOR, application.id).application

    def submit(self, application: Application, by: Actor | None = None) -> Application:
        view = self.services.intake.get(by or self.subscriber, application.id)
        for requirement in view.requirements:
            if requirement.required and requirement.missing:
                self.attach(application, requirement.kind, by)
        return self.services.intake.submit(
            by or self.subscriber, application.id, version=self.current(application).version
        )

    def look(self, application: Application, by: Actor) -> Any:
        for document in self.services.review.snapshot(by, application.id).documents:
            for page in range(1, document.pages + 1):
                self.services.documents.page(by, document.id, page)
            if document.state.value == "pending":
                self.services.review.accept_document(by, document.id, version=document.version)
        return self.services.review.snapshot(by, application.id)

    def approve(self, application: Application, by: Actor | None = None) -> Application:
        by = by or self.operator
        self.services.review.claim(by, application.id)
        seen = self.look(application, by)
        return self.services.review.approve(by, application.id, version=seen.application.version, digest=seen.digest)

    def request(self, application: Application, key: Any = None, by: Actor | None = None) -> Application:
        return self.services.requests.receive(
            by or self.subscriber, application.id, request_for(key), version=self.current(application).version
        )

    def approved(self, new: NewApplication | None = None) -> Application:
        application = self.approve(self.submit(self.apply(new)))
        if application.state.value == "approved-first":
            application = self.approve(application, self.reviewer)
        return application

    def ready(self, new: NewApplication | None = None) -> Application:
        return self.request(self.approved(new))

    def issued(self, new: NewApplication | None = None) -> Certificate:
        return self.services.issuance.issue(self.subscriber, self.ready(new).id)


def people(program: Program) -> dict[str, Any]:
    accounts = program.services.accounts
    centre = accounts.create_centre(SYSTEM_ACTOR, code="C-1", name="First")
    other = accounts.create_centre(SYSTEM_ACTOR, code="C-2", name="Second")
    cast = {
        "subscriber": (Role.SUBSCRIBER, frozenset()),
        "stranger": (Role.SUBSCRIBER, frozenset()),
        "operator": (Role.OPERATOR, frozenset({centre.id})),
        "second_operator": (Role.OPERATOR, frozenset({centre.id})),
        "elsewhere": (Role.OPERATOR, frozenset({other.id})),
        "reviewer": (Role.REVIEWER, frozenset()),
        "officer": (Role.SECURITY_OFFICER, frozenset()),
        "auditor": (Role.AUDITOR, frozenset()),
        "support": (Role.SUPPORT, frozenset()),
        "administrator": (Role.ADMINISTRATOR, frozenset()),
    }
    actors = {}
    for name, (role, centres) in cast.items():
        account, _ = accounts.create(
            SYSTEM_ACTOR,
            email=f"{name}@example.org",
            name=name,
            roles=frozenset({role}),
            centres=centres,
            password=PASSWORD,
        )
        actors[name] = account.actor()
    return {"centre": centre.id, "other_centre": other.id, **actors}


def configure(home: Path, database_url: str, *, environment: str = "production", extra: str = "") -> Path:
    """Write a configuration; its path."""
    for name in ("secrets", "data"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    passphrase = home / "secrets" / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("only for this test")
    path = home / "pechatnik.toml"
    path.write_text(
        f'[installation]\ndata = "data"\nenvironment = "{environment}"\n[database]\nurl = "{database_url}"\n'
        f'synchronous = "NORMAL"\n[secrets]\npassphrase_file = "secrets/passphrase"\n'
        f'[server]\npublic_url = "http://pki.example.com"\n{extra}'
    )
    return path


def initialise(program: Program, *, partitions: int = 0) -> None:
    program.initialise(
        SYSTEM_ACTOR,
        organization="Test",
        country="XX",
        root_algorithm=KeyAlgorithm.EC_P256,
        issuing_algorithm=KeyAlgorithm.EC_P256,
        responder_algorithm=KeyAlgorithm.EC_P256,
        partitions=partitions,
    )


@pytest.fixture
def open_house(tmp_path: Path, database_url: str, clock: Any) -> Iterator[Callable[..., House]]:
    """Opens an authority of its own: ``open_house(partitions=4, extra="[desk]\\n…")``."""
    programs: list[Program] = []

    def make(*, partitions: int = 0, extra: str = "", environment: str = "production") -> House:
        observed: list[str] = []
        path = configure(tmp_path, database_url, environment=environment, extra=extra)
        program = build(load(path, {}), clock=clock, observe=observed.append)
        programs.append(program)
        initialise(program, partitions=partitions)
        return House(program=program, observed=observed, **people(program))

    yield make
    for program in programs:
        program.close()


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, request: pytest.FixtureRequest
) -> Callable[[str], tuple[Path, str, dict[str, Any]]]:
    """An authority with its people on each database, made once: folder, database, people."""
    made: dict[str, tuple[Path, str, dict[str, Any]]] = {}

    def furnish(database: str) -> tuple[Path, str, dict[str, Any]]:
        if database not in made:
            home = tmp_path_factory.mktemp("furnished")
            if database == "sqlite":
                name = str(home / "furnished.sqlite")
                shutil.copyfile(sqlite_template, name)
                url = f"sqlite:///{name}"
            else:
                name = "furnished"
                copy_database = request.getfixturevalue("copy_postgresql")
                url = copy_database(request.getfixturevalue("postgresql_template"), name)
            program = build(load(configure(home, url), {}))
            initialise(program)
            made[database] = (home, name, people(program))
            program.close()
        return made[database]

    return furnish


@pytest.fixture
def house(
    furnished: Callable[[str], tuple[Path, str, dict[str, Any]]],
    database: str,
    tmp_path: Path,
    clock: Any,
    request: pytest.FixtureRequest,
) -> Iterator[House]:
    """An authority with one CRL and its people, on each database; a copy of the furnished one."""
    home, name, cast = furnished(database)
    if database == "sqlite":
        shutil.copyfile(name, tmp_path / "house.sqlite")
        url = f"sqlite:///{tmp_path / 'house.sqlite'}"
    else:
        copy = f"house_{next(NUMBERS)}"
        url = request.getfixturevalue("copy_postgresql")(name, copy)
    shutil.copytree(home / "data", tmp_path / "data", copy_function=shutil.copy2)
    drop = request.getfixturevalue("drop_postgresql") if database == "postgresql" else None
    observed: list[str] = []
    program = build(load(configure(tmp_path, url), {}), clock=clock, observe=observed.append)
    yield House(program=program, observed=observed, **cast)
    program.close()
    if drop is not None:
        drop(copy)
