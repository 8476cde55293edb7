"""``pechatnik cert verify``: files of anybody, and serials of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.validation.conftest import certificate, revocation_list

NOW = datetime.now(UTC).replace(microsecond=0)
TIME = {"begins": NOW - timedelta(days=1), "ends": NOW + timedelta(days=1)}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A root as an anchor, an intermediate, a leaf, and the lists of both issuers."""
    made = {
        "anchors/root.pem": certificate("root", "root", **TIME),
        "middle.pem": certificate("middle", "root", **TIME),
        "leaf.pem": certificate("leaf", "middle", ca=False, **TIME),
    }
    (tmp_path / "anchors").mkdir()
    for name, one in made.items():
        (tmp_path / name).write_bytes(one.public_bytes(Encoding.PEM))
    for name in ("root", "middle"):
        (tmp_path / f"{name}.crl").write_bytes(revocation_list(name, made=NOW, until=TIME["ends"]))
    return tmp_path


def arguments(files: Path, *more: str) -> list[str]:
    common = ["--chain", str(files / "middle.pem"), "--anchors", str(files / "anchors")]
    return ["cert", "verify", str(files / "leaf.pem"), *common, *more]


def test_a_status_that_nobody_tells_is_a_negative_verdict(call: Any, files: Path) -> None:
    answer = call(*arguments(files))
    assert answer.code == 3
    assert "status-unknown" in answer.out
    assert call(*arguments(files, "--revocation", "none")).code == 0
    softly = call(*arguments(files, "--revocation", "soft"))
    assert softly.code == 0
    assert "not known" in softly.out


def test_lists_may_come_along(call: Any, files: Path) -> None:
    lists = [part for name in ("root", "middle") for part in ("--crl", str(files / f"{name}.crl"))]
    document = call(*arguments(files, *lists, "--json")).document
    assert (document["valid"], document["reason"]) == (True, "valid")
    assert [one["subject"] for one in document["chain"]] == ["CN=leaf", "CN=middle", "CN=root"]
    assert {one["kind"] for one in document["evidence"]} == {"crl"}
    assert document["reusable_until"] == TIME["ends"].isoformat()
    assert "der" not in document["chain"][0]


def test_a_moment_may_be_named(call: Any, files: Path) -> None:
    moment = (NOW - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S")
    answer = call(*arguments(files, "--at", moment, "--revocation", "none", "--json"))
    assert (answer.code, answer.document["reason"]) == (3, "not-yet-valid")


def test_our_own_is_named_by_its_serial(call: Any) -> None:
    shown = call("cert", "list", "--json").document["items"][0]
    answer = call("cert", "verify", shown["serial"], "--json")
    assert (answer.code, answer.document["chain"][0]["serial"]) == (0, shown["serial"])
    assert {one["kind"] for one in answer.document["evidence"]} == {"store"}
    assert call("cert", "verify", "0123456789").code == 4


@pytest.mark.parametrize("name", ["leaf.pem", "middle.pem"])
def test_a_file_that_is_no_certificate_is_refused(call: Any, files: Path, name: str) -> None:
    (files / name).write_text("nonsense")
    assert call(*arguments(files)).code == 2


def test_a_folder_without_an_anchor_is_refused(call: Any, files: Path) -> None:
    (files / "anchors" / "root.pem").unlink()
    assert call(*arguments(files)).code == 2
