"""Full and delta lists from the command line, as the configuration has them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ca_core.packs import shipped_packs

DELTAS = "PECHATNIK_STATUS__CRL_DELTA_HOURS"


def test_a_delta_is_issued_shown_and_written(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DELTAS, "24")
    [full] = call("crl", "issue", "issuing", "--json").document["items"]
    [delta] = call("crl", "issue", "issuing", "--delta", "--json").document["items"]
    assert full["base"] is None
    assert delta["base"] == full["number"] < delta["number"]
    [shown] = call("crl", "show", "issuing", "--delta", "--json").document["items"]
    assert shown["number"] == delta["number"]
    assert call("crl", "show", "issuing", "--delta", "--out", str(tmp_path / "delta.crl")).code == 0
    read = x509.load_der_x509_crl((tmp_path / "delta.crl").read_bytes())
    indicator = read.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value
    assert indicator.crl_number == full["number"]
    assert "issuing-delta" in call("doctor").out
    assert call("audit", "verify").code == 0


def test_without_deltas_none_is_issued_or_shown(call: Any) -> None:
    answer = call("crl", "issue", "issuing", "--delta")
    assert answer.code == 2
    assert "status.crl_delta_hours" in answer.err
    assert call("crl", "show", "issuing", "--delta").code == 4


def test_a_profile_that_names_deltas_needs_them(call: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [private] = [folder for folder in shipped_packs() if folder.name == "private"]
    pack = home / "deltas"
    shutil.copytree(private, pack, dirs_exist_ok=True)
    manifest = pack / "pack.toml"
    manifest.write_text(manifest.read_text().replace('name = "private"', 'name = "deltas"', 1))
    profile = pack / "profiles" / "tls-client.toml"
    profile.write_text(f'{profile.read_text()}\n[[extensions]]\nkind = "freshest_crl"\n')
    monkeypatch.setenv("PECHATNIK_PACKS__DIRECTORIES", f'["{pack}"]')
    answer = call("config", "check")
    assert answer.code == 78
    assert "deltas/tls-client" in answer.err
    assert "status.crl_delta_hours" in answer.err
    monkeypatch.setenv(DELTAS, "24")
    assert call("config", "check").code == 0
