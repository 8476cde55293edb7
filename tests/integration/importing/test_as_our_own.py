"""What was imported is shown, answered for, listed, held, revoked and replaced like what was issued here."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason as R
from ca_core.domain.errors import InvalidInput, WrongState
from ca_core.domain.path_validation import Question, Reason
from ca_core.services.replacement_reason import Circumstance

FLAGS = x509.ReasonFlags


@pytest.fixture
def imported(house: Any, take_in: Any, former: Any, judged: Path) -> Certificate:
    given = former.issue("imported", key=ec.generate_private_key(ec.SECP256R1()))
    take_in(former.bundle(given), crl=former.crl(), owner=house.subscriber.id)
    (judged / "imported.pem").write_bytes(former.bundle(given))
    (row,) = house.services.certificates.list(house.subscriber, text="CN=imported").items
    return row


def ocsp(house: Any, judged: Path) -> str:
    about = ("-issuer", "former.pem", "-cert", "imported.pem")
    run(judged, "openssl", "ocsp", *about, "-no_nonce", "-reqout", "request")
    (judged / "response").write_bytes(house.program.ocsp.answer((judged / "request").read_bytes()).body)
    given = ("-no_nonce", "-reqin", "request", "-respin", "response", "-CAfile", "ca.pem")
    done = run(judged, "openssl", "ocsp", *about, *given)
    assert "Response verify OK" in done.stderr
    return done.stdout


def run(directory: Path, *command: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done


def verify_with_list(house: Any, judged: Path, *, fails: bool) -> subprocess.CompletedProcess[str]:
    (crl,) = house.program.crls.issue(SYSTEM_ACTOR, "former")
    (judged / "list.der").write_bytes(crl.der)
    run(judged, "openssl", "crl", "-in", "list.der", "-inform", "DER", "-out", "list.pem")
    check = ("openssl", "verify", "-CAfile", "ca.pem", "-crl_check", "-CRLfile", "list.pem", "imported.pem")
    return run(judged, *check, fails=fails)


def test_openssl_takes_our_answers_and_lists_for_it(house: Any, imported: Certificate, judged: Path) -> None:
    assert "imported.pem: good" in ocsp(house, judged)
    verify_with_list(house, judged, fails=False)
    house.services.revocation.hold(house.officer, imported.id, because="asked by telephone")
    assert "certificateHold" in ocsp(house, judged)
    house.services.revocation.unhold(house.officer, imported.id, because="found")
    assert "imported.pem: good" in ocsp(house, judged)
    house.services.revocation.revoke(house.officer, imported.id, reason=R.SUPERSEDED, because="replaced")
    assert "superseded" in ocsp(house, judged)
    assert "certificate revoked" in verify_with_list(house, judged, fails=True).stderr
    assert house.services.audit.verify(house.auditor).faults == ()


def test_it_is_found_exported_and_verified(house: Any, imported: Certificate, judged: Path) -> None:
    desk = house.services.certificates
    assert desk.get(house.subscriber, imported.serial.hex) == imported
    assert desk.export(house.subscriber, imported.id, "pem") == (judged / "imported.pem").read_bytes()
    assert len(desk.chain(house.subscriber, imported.id)) == 3
    question = Question(certificate=(judged / "imported.pem").read_bytes())
    judge = house.services.path_validation.validate
    assert judge(house.subscriber, question).valid
    house.services.revocation.revoke(house.subscriber, imported.id, reason=R.SUPERSEDED)
    assert judge(house.subscriber, question).reason is Reason.REVOKED


def test_its_owner_is_told_of_what_becomes_of_it(house: Any, imported: Certificate) -> None:
    house.services.revocation.revoke(house.officer, imported.id, reason=R.SUPERSEDED, because="replaced")
    assert [one.kind for one in house.services.notices.of(house.subscriber)] == ["certificate-revoked"]


def test_a_certificate_applied_for_in_its_place_revokes_it(house: Any, imported: Certificate) -> None:
    with pytest.raises(WrongState, match="apply for a new one in its place"):
        house.services.replacement.report(house.subscriber, imported.id, circumstance=Circumstance.BROKEN)
    new = replace(house.tls(), replaces=imported.id)
    application = house.apply(new)
    assert house.services.replacement.running(house.subscriber, imported.id) == application
    house.approve(house.submit(application))
    issued = house.services.issuance.issue(house.subscriber, house.request(application).id)
    assert issued.replaces == imported.id
    old = house.services.certificates.get(house.subscriber, imported.id)
    assert (old.state, old.reason) == (CertificateState.REVOKED, R.SUPERSEDED)
    assert house.services.audit.verify(house.auditor).faults == ()


def test_of_our_own_the_loss_is_reported_instead(house: Any) -> None:
    own = house.issued()
    with pytest.raises(InvalidInput, match="only an imported certificate"):
        house.apply(replace(house.tls(), replaces=own.id))


def test_a_compromised_key_takes_every_imported_certificate_with_it(house: Any, take_in: Any, former: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    take_in(former.bundle(*(former.issue(common, key=key) for common in ("one", "two"))), crl=former.crl())
    (one,) = house.services.certificates.list(house.officer, text="CN=one").items
    house.services.revocation.revoke(house.officer, one.id, reason=R.KEY_COMPROMISE, because="told by the owner")
    (two,) = house.services.certificates.list(house.officer, text="CN=two").items
    assert (two.state, two.reason) == (CertificateState.REVOKED, R.KEY_COMPROMISE)


def test_the_daily_look_takes_no_offence(house: Any, imported: Certificate) -> None:
    report = house.services.recheck.run(imported.created_at, imported.created_at.replace(year=2099))
    assert report.faults == ()
