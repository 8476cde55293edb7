"""Answers signed beforehand, by the worker and by command: where they are given, and where they must not be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, ocsp_request
from ocsp.answers import AnswerStore
from pechatnik.bootstrap import build
from pechatnik.config import load


def asking(program: Any) -> bytes:
    """About the responder's own certificate, which the issuing authority signed."""
    authorities = {one.name: one for one in program.services.authorities.list(SYSTEM_ACTOR)}
    responder = next(one for one in authorities.values() if one.parent == authorities["issuing"].id)
    issuer = SignedCertificate.parse(authorities["issuing"].certificate)
    serial = SignedCertificate.parse(responder.certificate).serial
    return ocsp_request(
        [
            CertId.make(
                issuer=issuer.subject,
                issuer_public_key_info=issuer.public_key_info,
                serial=serial.value,
            )
        ]
    )


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "presigning.sqlite")
    return f"sqlite:///{tmp_path / 'presigning.sqlite'}"


def test_the_worker_signs_them_by_itself(open_house: Any) -> None:
    program = open_house().program
    program.work(once=True)
    assert program.ready.answer(asking(program)) is not None


def test_switched_off_none_is_given_and_none_is_left(open_house: Any, tmp_path: Path) -> None:
    program = open_house().program
    program.work(once=True)
    store = AnswerStore(program.config.data / "ocsp")
    assert any(store.counts().values())
    configuration = tmp_path / "pechatnik.toml"
    off = build(
        load(configuration, {}).model_copy(
            update={"status": program.config.status.model_copy(update={"presign": False})}
        )
    )
    try:
        assert off.ready is None
        assert not any(store.counts().values())
        assert "presigning" not in off.rounds._rounds
    finally:
        off.close()


@pytest.mark.parametrize(
    ("url", "said", "presigns"),
    [
        ("", None, True),
        ("postgresql://ca@db/ca", None, False),
        ("postgresql://ca@db/ca", True, True),
        ("", False, False),
    ],
)
def test_with_a_database_that_others_may_use_it_has_to_be_asked_for(
    tmp_path: Path, url: str, said: bool | None, presigns: bool
) -> None:
    path = tmp_path / "pechatnik.toml"
    status = "" if said is None else f"[status]\npresign = {str(said).lower()}\n"
    path.write_text(f'[database]\nurl = "{url}"\n[server]\npublic_url = "http://pki.example.com"\n{status}')
    assert load(path, {}).presigns is presigns


def test_the_command_signs_what_is_missing_and_says_how_many(call: Any) -> None:
    first = call("ocsp", "presign", "--json", "--anew")
    assert (first.code, first.document) == (0, {"signed": 2})  # the responder's certificate, by both digests
    again = call("ocsp", "presign")
    assert (again.code, again.out.strip()) == (0, "0 answers signed")


def test_the_command_exports_what_stands_ready_and_shows_before_what_it_would_do(call: Any, tmp_path: Path) -> None:
    assert call("ocsp", "presign").code == 0
    tree = str(tmp_path / "tree")
    would = call("--dry-run", "ocsp", "export", tree)
    assert (would.code, would.out.strip()) == (0, "2 answers would be written, 0 kept, 0 would be removed")
    assert not (tmp_path / "tree").exists()
    assert call("ocsp", "export", tree, "--json").document == {"written": 2, "kept": 0, "removed": 0}
    assert call("ocsp", "export", tree).out.strip() == "0 answers written, 2 kept, 0 removed"
    refused = call("ocsp", "export", str(tmp_path))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: ")


@pytest.mark.parametrize(("authority", "code"), [("nowhere", 4), ("root", 6)])
def test_the_command_refuses_what_has_no_answers(call: Any, authority: str, code: int) -> None:
    refused = call("ocsp", "presign", authority)
    assert (refused.code, refused.out) == (code, "")
    assert refused.err.startswith("error: ")


def test_answers_are_not_among_what_is_backed_up_or_restored(call: Any, home: Path, tmp_path: Path) -> None:
    assert call("ocsp", "presign").code == 0
    assert call("db", "backup", str(tmp_path / "backup")).code == 0
    assert not (tmp_path / "backup" / "data" / "ocsp").exists()
