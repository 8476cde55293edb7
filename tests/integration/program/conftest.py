"""One authority for all tests of the command line, and a way to call it in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pechatnik.cli import program


@dataclass
class Called:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Call = Callable[..., Called]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configured, initialised authority with a centre and three people; their tokens in files."""
    place = tmp_path_factory.mktemp("authority")
    for name in ("secrets", "data"):
        (place / name).mkdir(mode=0o700)
    (place / "secrets" / "passphrase").touch(mode=0o600)
    (place / "secrets" / "passphrase").write_text("only for tests")
    (place / "pechatnik.toml").write_text(
        '[installation]\ndata = "data"\n[database]\nsynchronous = "NORMAL"\n'
        '[secrets]\npassphrase_file = "secrets/passphrase"\n[server]\npublic_url = "http://pki.example.com"\n'
    )
    config = ["-c", str(place / "pechatnik.toml")]
    assert program.run([*config, "-q", "db", "upgrade"]) == 0
    assert program.run([*config, "-q", "ca", "init", "--organization", "T", "--algorithm", "ec-p256"]) == 0
    assert program.run([*config, "-q", "centre", "add", "HQ", "--name", "Head office"]) == 0
    password = place / "password"
    password.write_text("correct horse battery staple")
    for role in ("subscriber", "operator", "auditor"):
        centre = ["--centre", "HQ"] if role == "operator" else []
        arguments = ["account", "add", f"{role}@example.org", "--name", role, "--role", role, *centre]
        assert program.run([*config, "-q", *arguments, "--password-file", str(password)]) == 0
    return place


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """``call("application", "list", by="operator")`` with the authority's configuration."""

    def run(*arguments: str, by: str | None = None, config: Path | None = None) -> Called:
        if by is not None:
            token = home / f"{by}.token"
            if not token.exists():
                capsys.readouterr()
                made = [
                    "--json",
                    "-c",
                    str(home / "pechatnik.toml"),
                    "token",
                    "create",
                    "--account",
                    f"{by}@example.org",
                ]
                assert program.run([*made, "--password-file", str(home / "password")]) == 0
                token.touch(mode=0o600)
                token.write_text(json.loads(capsys.readouterr().out)["token"])
            arguments = (*arguments, "--token-file", str(token))
        capsys.readouterr()
        code = program.run([*arguments, "-c", str(config or home / "pechatnik.toml")])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    monkeypatch.delenv("PECHATNIK_TOKEN", raising=False)
    yield run
    assert "PECHATNIK_CONFIG" not in os.environ
