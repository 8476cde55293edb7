"""The configuration: checked, anchored, documented; unknown keys and variables are errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ca_core.domain.errors import ConfigurationError
from pechatnik.config import Config, Section, load

ROOT = Path(__file__).parents[2]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pechatnik.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nporrt = 1\n", "server.porrt"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nport = 0\n", "server.port"),
        ("[server]\nport = 'eighty'\n", "server.port"),
        ("[keys]\nstore = 'paper'\n", "keys.store"),
        ("[installation]\nenvironment = 'test'\n", "installation.environment"),
        ("not toml", "not valid TOML"),
        ("[uploads]\nmax_bytes = 1\n", "uploads.max_bytes"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        load(write(tmp_path, text), {})


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="quickstart"):
        load(tmp_path / "none.toml", {})


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, '[installation]\ndata = "data"\n[secrets]\npassphrase_file = "p"\n'), {})
    assert config.data == tmp_path / "data"
    assert config.secrets.passphrase_file == tmp_path / "p"


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PECHATNIK_SERVER__PORT", "9090")
    assert load(write(tmp_path, "[server]\nport = 8081\n")).server.port == 9090


def test_an_unknown_variable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PECHATNIK_SERVER__PORRT"):
        load(write(tmp_path, ""), {"PECHATNIK_SERVER__PORRT": "1"})


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_0-9]+\.[a-z_0-9.]+`[^|]*)\|", page, re.MULTILINE)
    documented = set()
    for row in rows:
        names = re.findall(r"`([a-z_0-9.]+)`", row)
        prefix = names[0].rpartition(".")[0]
        documented |= {f"{prefix}{name}" if name.startswith(".") else name for name in names}
    assert documented == set(_keys(Config, ""))


def _keys(model: type, prefix: str) -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found += _keys(kind, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found
