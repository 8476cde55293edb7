"""A served authority and a real browser; each test module has its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.algorithms import KeyAlgorithm
from pechatnik.program import Program
from pechatnik.quickstart import build_upgraded

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery staple"

BODY_SECONDS = 5
"""How long the server waits for a body."""


@dataclass
class House:
    """A served authority with an account of each role, named after it."""

    url: str
    program: Program
    config: Path
    operator: Actor
    reviewer: Actor
    subscriber: Actor

    @property
    def services(self) -> Any:
        return self.program.services

    def decide(self, number: str, *, refusing: str | None = None) -> None:
        """The operator decides; both do when nothing is refused."""
        review = self.services.review
        id = self.services.intake.get(SYSTEM_ACTOR, number).application.id
        for who in (self.operator, self.reviewer):
            if self.services.intake.get(SYSTEM_ACTOR, id).application.state.value == "awaiting-key":
                return
            review.claim(who, id)
            for document in review.snapshot(who, id).documents:
                for page in range(1, document.pages + 1):
                    self.services.documents.page(who, document.id, page)
                if document.kind == refusing:
                    review.refuse_document(
                        who, document.id, version=document.version, reason="not-signed", note="page 1, at the bottom"
                    )
                elif document.state.value == "pending":
                    review.accept_document(who, document.id, version=document.version)
            seen = review.snapshot(who, id)
            if refusing:
                review.return_for_correction(who, id, version=seen.application.version)
                return
            review.approve(who, id, version=seen.application.version, digest=seen.digest)


@pytest.fixture(scope="module")
def server_options() -> str:
    """More of the server's section, where a module needs it."""
    return ""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, server_options: str) -> Iterator[House]:
    place = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for folder in ("secrets", "data"):
        (place / folder).mkdir(mode=0o700)
    (place / "secrets" / "passphrase").touch(mode=0o600)
    (place / "secrets" / "passphrase").write_text("only for this test")
    config = place / "pechatnik.toml"
    config.write_text(
        '[installation]\nname = "Test"\nenvironment = "demo"\ndata = "data"\n'
        '[secrets]\npassphrase_file = "secrets/passphrase"\n'
        f'[server]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\ncookies_over_tls_only = false\n'
        f"body_seconds = {BODY_SECONDS}\n" + server_options
    )
    program = build_upgraded(config)
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
    accounts = program.services.accounts
    centre = accounts.create_centre(SYSTEM_ACTOR, code="C-1", name="First")
    hired = {}
    for role in set(Role) - {Role.SYSTEM}:
        account, _ = accounts.create(
            SYSTEM_ACTOR,
            email=f"{role.value}@example.org",
            name=role.value.title(),
            roles=frozenset({role}),
            centres=frozenset({centre.id}) if role is Role.OPERATOR else frozenset(),
            password=PASSWORD,
        )
        hired[role.value] = account.actor()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("pechatnik")), "-c", str(config), "serve"]
    with (place / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=place)
    try:
        _await(server, url, place / "server.log")
        yield House(
            url=url,
            program=program,
            config=config,
            **{name: hired[name] for name in ("operator", "reviewer", "subscriber")},
        )
    finally:
        server.terminate()
        server.wait(timeout=30)
        program.close()


def _await(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(900):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/livez", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            threading.Event().wait(0.1)
    pytest.fail(f"the server does not answer: {log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        if not CHROMIUM.exists():
            pytest.skip("Chromium is not installed: apt-get install chromium")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()
