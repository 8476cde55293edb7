"""The configuration: checked, anchored, documented; unknown keys and variables are errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ca_core.domain.errors import ConfigurationError
from pechatnik.config import Config, Section, load

ROOT = Path(__file__).parents[2]
ADDRESS = "[server]\npublic_url = 'http://pki.example.org'\n"


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
        (f"a = {'[' * 5000}", "not valid TOML"),
        ("[server]\nname = 'x'\n", "server.name: is no key of this table"),
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
    text = f'[installation]\ndata = "data"\n[secrets]\npassphrase_file = "p"\n{ADDRESS}'
    config = load(write(tmp_path, text), {})
    assert config.data == tmp_path / "data"
    assert config.secrets.passphrase_file == tmp_path / "p"


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PECHATNIK_SERVER__PORT", "9090")
    assert load(write(tmp_path, f"{ADDRESS}port = 8081\n")).server.port == 9090


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PECHATNIK_SERVER__PORT", "abc", r"^environment variable PECHATNIK_SERVER__PORT: server\.port: 'abc'"),
        ("pechatnik_keys__pkcs11__sessions", "0", r"^environment variable pechatnik_keys__pkcs11__sessions: keys"),
        ("PECHATNIK_SERVER", '{"porrt": 1}', r"^environment variable PECHATNIK_SERVER: server\.porrt: is no key"),
        ("PECHATNIK_PLUGINS__ENABLED", "abc", r"^environment variable PECHATNIK_PLUGINS__ENABLED: is not JSON"),
        ("PECHATNIK_PACKS__SHIPPED", "['private']", r"^environment variable PECHATNIK_PACKS__SHIPPED: is not JSON"),
        ("pechatnik_server", "{", r"^environment variable pechatnik_server: is not JSON"),
    ],
)
def test_what_is_wrong_in_the_environment_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=says):
        load(write(tmp_path, ADDRESS))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "ftp://example.org", "https://example.org", "http://", "http:///x", "pki.example.org",
        "http://a b.example.org", "http://example.org\n", "http://example.org/\x01", "http://пример.рф", "http://one",
        "http://example.org/?x=", "http://example.org?", "http://example.org/#x", "http://me@example.org", "",
        "http://example.org:99999", "http://[::1",
    ],
)  # fmt: skip
def test_an_address_that_no_certificate_could_name_is_refused_at_the_start(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.public_url: "):
        load(write(tmp_path, f"[server]\npublic_url = {json.dumps(url)}\n"), {})


@pytest.mark.parametrize("url", ["http://pki.example.org", "http://127.0.0.1:8080", "http://[::1]:81/ca/"])
def test_an_address_that_certificates_can_name_is_taken(tmp_path: Path, url: str) -> None:
    assert load(write(tmp_path, f"[server]\npublic_url = '{url}'\n"), {}).server.public_url == url


def test_a_production_installation_names_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.public_url: is missing"):
        load(write(tmp_path, ""), {})
    assert load(write(tmp_path, "[installation]\nenvironment = 'demo'\n"), {}).server.public_url
    monkeypatch.setenv("PECHATNIK_SERVER__PUBLIC_URL", "http://pki.example.org")
    assert load(write(tmp_path, "")).server.public_url == "http://pki.example.org"


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
