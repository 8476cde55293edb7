"""Passphrases and PINs come from a file or the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ca_core.domain.errors import ConfigurationError
from ca_core.keys.secrets_source import read_secret


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"s3cret", b"s3cret"), (b"s3cret\n", b"s3cret"), (b"s3cret\r\n", b"s3cret"), (b" s3 cret \n\n", b" s3 cret \n")],
    ids=["bare", "line", "windows-line", "only-one-line-end-goes"],
)
def test_a_file_gives_its_secret_without_the_line_end(tmp_path: Path, content: bytes, secret: bytes) -> None:
    assert read_secret(file=private(tmp_path / "pin", content), variable=None, environment={}) == secret


def test_a_group_may_read_the_file_and_a_link_is_followed(tmp_path: Path) -> None:
    private(tmp_path / "target", b"s3cret\n", 0o640)
    (tmp_path / "pin").symlink_to(tmp_path / "target")
    assert read_secret(file=tmp_path / "pin", variable=None, environment={}) == b"s3cret"


def test_a_variable_gives_its_secret() -> None:
    assert read_secret(file=None, variable="PIN", environment={"PIN": "1234"}) == b"1234"


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602], ids=oct)
def test_a_file_open_to_all_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_secret(file=private(tmp_path / "pin", b"1234", mode), variable=None, environment={})


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "no secret"), (b"\n", "no secret"), (b"x" * 4097, "longer")], ids=["0", "line", "4097"]
)
def test_an_empty_or_long_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read_secret(file=private(tmp_path / "pin", content), variable=None, environment={})


def test_a_missing_file_or_directory_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_secret(file=path, variable=None, environment={})


@pytest.mark.parametrize("environment", [{}, {"PIN": ""}], ids=["unset", "empty"])
def test_an_unset_variable_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="variable PIN holds no secret"):
        read_secret(file=None, variable="PIN", environment=environment)


def test_a_variable_gives_its_octets_as_they_are() -> None:
    secret = read_secret(file=None, variable="PIN", environment={"PIN": "\udcff\udcfe"})
    assert secret == b"\xff\xfe"


def test_exactly_one_source_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="either"):
        read_secret(file=None, variable=None, environment={})
    with pytest.raises(ConfigurationError, match="either"):
        read_secret(file=tmp_path / "pin", variable="PIN", environment={"PIN": "1234"})
