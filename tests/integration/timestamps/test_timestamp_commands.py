"""``pechatnik ca tsa`` and ``pechatnik signature``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pechatnik.cli import program as command_line


@pytest.fixture
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def run(house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.delenv("PECHATNIK_TOKEN", raising=False)

    def command(*arguments: str) -> tuple[int, Any]:
        code = command_line.run(["-c", str(tmp_path / "pechatnik.toml"), "--json", *arguments])
        return code, json.loads(capsys.readouterr().out or "null")

    return command


def test_a_file_is_stamped_verified_and_listed(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a document")
    file, answer = str(tmp_path / "file"), str(tmp_path / "file.tsr")
    assert run("signature", "timestamp", file)[0] == 3, "there is no authority yet"
    assert run("ca", "tsa", "--dry-run") == (0, {"authority": "issuing"})
    assert run("ca", "tsa")[0] == 0
    assert run("ca", "tsa")[0] == 6
    assert run("signature", "timestamp", file, "--dry-run")[0] == 0
    assert not Path(answer).exists()
    code, made = run("signature", "timestamp", file, "--digest", "sha3_256")
    assert (code, made["valid"], made["hash_algorithm"]) == (0, True, "sha3_256")
    assert run("signature", "timestamp", file)[0] == 2, "an answer is not overwritten"
    code, verdict = run("signature", "timestamp", file, "--verify", answer)
    assert (code, verdict["valid"], verdict["serial"]) == (0, True, made["serial"])
    (tmp_path / "file").write_bytes(b"another document")
    assert run("signature", "timestamp", file, "--verify", answer)[0] == 3
    assert run("signature", "timestamp", file, "--policy", "1.2.3", "--out", str(tmp_path / "x"))[0] == 3
    assert run("signature", "timestamp", file, "--out", str(tmp_path / "second.tsr"))[0] == 0
    code, listed = run("signature", "timestamps", "--limit", "1")
    assert (code, len(listed["items"])) == (0, 1)
    code, rest = run("signature", "timestamps", "--limit", "1", "--cursor", listed["next_cursor"])
    assert (code, rest["items"][0]["serial"], rest["next_cursor"]) == (0, made["serial"], None)
    code, found = run("signature", "timestamps", "--of", file)
    assert (code, len(found["items"])) == (0, 1)
