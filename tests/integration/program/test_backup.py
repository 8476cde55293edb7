"""Backup and restore: everything that was there, proved by digests, and nothing overwritten."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def backup(call: Any, tmp_path: Path) -> Path:
    target = tmp_path / "backup"
    assert call("db", "backup", str(target)).code == 0
    return target


def empty_home(home: Path, place: Path) -> Path:
    """The same configuration and secrets in a new place without data."""
    place.mkdir()
    shutil.copytree(home / "secrets", place / "secrets")
    (place / "data").mkdir(mode=0o700)
    shutil.copyfile(home / "pechatnik.toml", place / "pechatnik.toml")
    return place / "pechatnik.toml"


def test_a_restored_authority_is_whole(call: Any, home: Path, backup: Path, tmp_path: Path) -> None:
    config = empty_home(home, tmp_path / "new")
    assert call("db", "restore", str(backup), "--yes", config=config).code == 0
    assert call("audit", "verify", config=config).code == 0
    assert call("ca", "show", "--json", config=config).document == call("ca", "show", "--json").document
    assert call("crl", "issue", "issuing", config=config).code == 0, "its keys open"
    assert call("doctor", config=config).code == 0


def test_a_restored_chain_may_end_before_a_seal_that_was_made_after_the_backup(
    call: Any, home: Path, backup: Path, tmp_path: Path
) -> None:
    config = empty_home(home, tmp_path / "new")
    assert call("db", "restore", str(backup), "--yes", config=config).code == 0
    assert call("audit", "export", str(tmp_path / "export"), config=config).code == 0
    assert call("audit", "seal", config=config).code == 0
    for path in (tmp_path / "new" / "data").glob("pechatnik.sqlite*"):
        path.unlink()
    assert call("db", "restore", str(backup), "--yes", config=config).code == 0
    assert call("doctor", config=config).code == 0
    assert call("audit", "seal", config=config).code == 0
    assert call("audit", "verify", config=config).code == 0


def test_a_database_that_was_set_back_alone_is_not_verified(
    call: Any, home: Path, backup: Path, tmp_path: Path
) -> None:
    config = empty_home(home, tmp_path / "new")
    assert call("db", "restore", str(backup), "--yes", config=config).code == 0
    assert call("audit", "export", str(tmp_path / "export"), config=config).code == 0
    assert call("audit", "seal", config=config).code == 0
    for path in (tmp_path / "new" / "data").glob("pechatnik.sqlite*"):
        path.unlink()
    shutil.copyfile(backup / "data" / "pechatnik.sqlite", tmp_path / "new" / "data" / "pechatnik.sqlite")
    assert call("audit", "verify", config=config).code == 3
    assert call("audit", "seal", config=config).code == 3
    said = call("doctor", config=config)
    assert said.code == 1
    assert "FAIL  audit chain" in said.out


def test_a_backup_goes_into_a_new_directory_and_a_restore_into_an_empty_place(
    call: Any, home: Path, backup: Path
) -> None:
    assert call("db", "backup", str(backup)).code == 6
    assert call("db", "restore", str(backup), "--yes").code == 6
    assert call("db", "restore", str(backup)).code == 6, "before any question"


def test_a_restore_that_nobody_can_be_asked_about_says_how_to_do_without(
    call: Any, home: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = call("db", "restore", str(backup), config=empty_home(home, tmp_path / "new"))
    assert answer.code == 2
    assert "--yes" in answer.err


def test_a_changed_backup_is_refused_and_nothing_is_restored(
    call: Any, home: Path, backup: Path, tmp_path: Path
) -> None:
    victim = next(path for path in sorted((backup / "data").rglob("*.pem")))
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes() + b"x")
    config = empty_home(home, tmp_path / "new")
    assert call("db", "restore", str(backup), "--yes", config=config).code == 3
    assert not list((tmp_path / "new" / "data").iterdir())


def test_what_is_no_backup_is_refused(call: Any, home: Path, tmp_path: Path) -> None:
    config = empty_home(home, tmp_path / "new")
    assert call("db", "restore", str(tmp_path / "none"), "--yes", config=config).code == 78
    (tmp_path / "void").mkdir()
    assert call("db", "restore", str(tmp_path / "void"), "--yes", config=config).code == 3
