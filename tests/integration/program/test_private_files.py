"""Files and tokens: nothing is written for other users to read, and a token that is not there stops the command."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pechatnik.cli import program
from pechatnik.config import load
from pechatnik.doctor import examine

CONFIGURATION = """
[installation]
data = "deep/data"
[secrets]
passphrase_variable = "PASSPHRASE"
[server]
public_url = "http://pki.example.org"
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_the_program_writes_is_for_its_user_alone(tmp_path: Path) -> None:
    (tmp_path / "pechatnik.toml").write_text(CONFIGURATION)
    for arguments in (["db", "upgrade"], ["audit", "export", "chain.jsonl"], ["db", "backup", "copy"]):
        subprocess.run(
            [Path(sys.executable).with_name("pechatnik"), *arguments],
            cwd=tmp_path, umask=0o022, check=True, capture_output=True, env={**os.environ, "PASSPHRASE": "x"},
        )  # fmt: skip
    written = [path for path in tmp_path.rglob("*") if path.name != "pechatnik.toml" or path.parent != tmp_path]
    assert tmp_path / "deep" / "data" / "pechatnik.sqlite" in written
    assert {str(path) for path in written if mode(path) & 0o077} == set()


def test_the_first_upgrade_makes_the_directory_and_the_other_commands_say_so(
    tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSPHRASE", "x")
    config = tmp_path / "pechatnik.toml"
    config.write_text(CONFIGURATION)
    for arguments in (["cert", "list"], ["db", "check"]):
        answer = call(*arguments, config=config)
        assert answer.code == 78
        assert "pechatnik db upgrade" in answer.err
    assert call("db", "upgrade", "--dry-run", config=config).code == 0
    assert not (tmp_path / "deep").exists()
    assert call("db", "upgrade", config=config).code == 0
    assert mode(tmp_path / "deep" / "data") == 0o700
    assert call("cert", "list", config=config).code == 0


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path, call: Any) -> None:
    config = tmp_path / "pechatnik.toml"
    config.write_text(CONFIGURATION)
    (tmp_path / "deep").write_text("a file")
    answer = call("db", "upgrade", config=config)
    assert answer.code == 78
    assert "cannot be made" in answer.err


def test_doctor_names_a_database_that_others_can_read(home: Path, tmp_path: Path) -> None:
    database = tmp_path / "elsewhere" / "ca.sqlite"
    database.parent.mkdir()
    database.touch()
    config = tmp_path / "pechatnik.toml"
    config.write_text(CONFIGURATION + f"[database]\nurl = 'sqlite:///{database}'\n")

    def found(directory: int, file: int) -> bool:
        database.parent.chmod(directory)
        database.chmod(file)
        return next(one.ok for one in examine(load(config, {})) if one.name == "database file")

    assert found(0o700, 0o644), "nobody else gets there"
    assert found(0o755, 0o600)
    assert not found(0o755, 0o644)
    assert not found(0o710, 0o640)


@pytest.mark.parametrize("content", [b"", b"\n", b"  ", b"\xff\xfe", b"a\x00b", "ключ".encode(), b"x" * 5000, None])
def test_a_token_that_is_not_there_does_not_make_the_caller_the_system(
    call: Any, tmp_path: Path, content: bytes | None
) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.touch(mode=0o600)
        token.write_bytes(content)
    answer = call("account", "list", "--token-file", str(token))
    assert answer.code == 78
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert call("account", "list", "--token-file", str(tmp_path)).code == 78


def test_a_token_that_everybody_can_read_is_not_used(call: Any, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("known to all")
    token.chmod(0o644)
    answer = call("account", "list", "--token-file", str(token))
    assert answer.code == 78
    assert "chmod 600" in answer.err


@pytest.mark.parametrize("value", ["", " ", "\udcff"])
def test_nor_does_an_empty_variable(call: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PECHATNIK_TOKEN", value)
    answer = call("account", "list")
    assert answer.code == 78
    assert "PECHATNIK_TOKEN" in answer.err
    monkeypatch.setenv("PECHATNIK_TOKEN", "bad")
    assert call("account", "list").code == 5


def test_a_configuration_that_nests_too_deep_is_a_sentence(call: Any, tmp_path: Path) -> None:
    config = tmp_path / "pechatnik.toml"
    config.write_text("a = " + "[" * 5000)
    assert call("config", "check", config=config).code == 78
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    assert call("application", "new", "--profile", "private/tls-client", "--data", str(deep)).code == 2


def test_an_export_to_nowhere_is_a_sentence(call: Any, tmp_path: Path) -> None:
    answer = call("audit", "export", str(tmp_path / "no" / "chain.jsonl"))
    assert answer.code == 2
    assert "cannot be written" in answer.err


def test_the_entry_point_is_what_sets_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o022)
    try:
        monkeypatch.setattr(program, "run", lambda _: 0)
        with pytest.raises(SystemExit):
            program.main([])
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)
