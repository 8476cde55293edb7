"""Others read our answers: openssl, GnuTLS, cryptography, asn1crypto, pkilint; and every kind of key signs them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import ocsp as asn1crypto_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.lint.pkilint_run import lint_crl_with_pkilint, lint_ocsp_with_pkilint
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, ResponseStatus, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from ca_core.x509.pem import to_pem
from ca_core.x509.signature import verify_signature
from ocsp.responder import Responder

STATES = ["good", "revoked", "held", "unknown"]
NOBODY = bytes.fromhex("302a300506032b6570032100") + bytes(32)
"""A SubjectPublicKeyInfo (Ed25519) of nobody."""


@pytest.fixture(scope="module")
def database() -> str:
    """One is enough: nothing here depends on which."""
    return "sqlite"


@pytest.fixture
def files(world: Any, tmp_path: Path) -> Path:
    """The chain, and a certificate in each state."""
    rows = {
        "good": world.certificate(),
        "revoked": world.revoke(world.certificate()),
        "held": world.hold(world.certificate()),
    }
    for name, row in rows.items():
        (tmp_path / f"{name}.pem").write_text(to_pem(row.der))
    (tmp_path / "issuing.pem").write_text(to_pem(world.issuing.certificate))
    (tmp_path / "ca.pem").write_text(to_pem(world.issuing.certificate) + to_pem(world.root.certificate))
    return tmp_path


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def answered(world: Any, directory: Path) -> None:
    (directory / "response").write_bytes(world.ocsp.answer((directory / "request").read_bytes()).body)


@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
@pytest.mark.parametrize("digest", ["-sha1", "-sha256", "-sha512"])
@pytest.mark.parametrize(("name", "words"), [("good", "good"), ("revoked", "superseded"), ("held", "certificateHold")])
def test_openssl_asks_and_is_satisfied(world: Any, files: Path, name: str, words: str, digest: str, nonce: str) -> None:
    about = (digest, "-issuer", "issuing.pem", "-cert", f"{name}.pem")
    run(files, "openssl", "ocsp", *about, nonce, "-reqout", "request")
    answered(world, files)
    # The second time -no_nonce keeps it from putting a nonce of its own over that of the request.
    given = ("-no_nonce", "-reqin", "request", "-respin", "response", "-CAfile", "ca.pem")
    done = run(files, "openssl", "ocsp", *about, *given)
    assert "Response verify OK" in done.stderr
    assert words in done.stdout
    if nonce == "-nonce":
        assert "WARNING" not in done.stderr


def test_openssl_asks_about_several_and_an_unknown_one(world: Any, files: Path) -> None:
    about = ("-issuer", "issuing.pem", "-cert", "good.pem", "-cert", "revoked.pem", "-serial", "0x1234")
    run(files, "openssl", "ocsp", *about, "-no_nonce", "-reqout", "request")
    answered(world, files)
    done = run(files, "openssl", "ocsp", *about, "-no_nonce", "-respin", "response", "-CAfile", "ca.pem")
    assert "good.pem: good" in done.stdout
    assert "revoked.pem: revoked" in done.stdout
    assert "0x1234: unknown" in done.stdout


@pytest.mark.skipif(shutil.which("ocsptool") is None, reason="gnutls-bin is not installed")
@pytest.mark.parametrize("name", ["good", "revoked"])
def test_gnutls_asks_and_is_satisfied(world: Any, files: Path, name: str) -> None:
    about = ("--load-cert", f"{name}.pem", "--load-issuer", "issuing.pem")
    run(files, "ocsptool", "--generate-request", *about, "--outfile", "request", "--outder")
    answered(world, files)
    done = run(files, "ocsptool", "--verify-response", "--load-response", "response", "--load-trust", "ca.pem")
    assert "Verifying OCSP Response: Success" in done.stdout
    shown = run(files, "ocsptool", "--response-info", "--load-response", "response").stdout
    assert f"Certificate Status: {name}" in shown


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])
def test_cryptography_reads_what_it_asked_for(world: Any, digest: hashes.HashAlgorithm) -> None:
    revoked = world.revoke(world.certificate())
    issuer = x509.load_der_x509_certificate(world.issuing.certificate)
    leaf = x509.load_der_x509_certificate(revoked.der)
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, digest).build()
    response = ocsp.load_der_ocsp_response(world.ocsp.answer(request.public_bytes(Encoding.DER)).body)
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason is x509.ReasonFlags.superseded
    assert response.serial_number == leaf.serial_number
    assert response.issuer_key_hash == request.issuer_key_hash
    assert response.responder_key_hash == world.responder.key_identifier
    (delegate,) = response.certificates
    delegate.verify_directly_issued_by(issuer)


def body_of(
    world: Any,
    state: str,
    *,
    nonce: bytes | None = None,
    policy: Any = "unknown",
    archive: timedelta | None = None,
) -> bytes:
    certificate = SignedCertificate.parse(world.issuing.certificate)
    row = {
        "good": world.certificate,
        "revoked": lambda: world.revoke(world.certificate()),
        "held": lambda: world.hold(world.certificate()),
        "unknown": world.intent,
    }[state]()
    asked = CertId.make(
        issuer=certificate.subject,
        issuer_public_key_info=certificate.public_key_info,
        serial=row.serial.value,
        digest="sha256",
    )
    responder = world.answering(unknown_serial=policy, archive=archive)
    body: bytes = responder.answer(ocsp_request([asked], nonce=nonce)).body
    return body


@pytest.mark.parametrize("policy", ["unknown", "revoked", "unauthorized"])
@pytest.mark.parametrize("nonce", [None, bytes(32)], ids=["plain", "nonce"])
@pytest.mark.parametrize("state", STATES)
def test_pkilint_finds_nothing(world: Any, state: str, nonce: bytes | None, policy: str) -> None:
    assert lint_ocsp_with_pkilint(body_of(world, state, nonce=nonce, policy=policy)) == ()


@pytest.mark.parametrize("state", STATES)
def test_an_archive_cutoff_is_read_by_pkilint_openssl_and_asn1crypto(world: Any, tmp_path: Path, state: str) -> None:
    body = body_of(world, state, archive=timedelta(days=36_500))
    assert lint_ocsp_with_pkilint(body) == ()
    (tmp_path / "response").write_bytes(body)
    assert "Archive Cutoff" in run(tmp_path, "openssl", "ocsp", "-respin", "response", "-resp_text", "-noverify").stdout
    (single,) = asn1crypto_ocsp.OCSPResponse.load(body, strict=True).response_data["responses"]
    assert single.archive_cutoff_value.native == world.issuing.not_before.replace(microsecond=0)


@pytest.mark.parametrize("policy", ["unknown", "revoked"])
def test_extended_revoke_is_read_by_openssl(world: Any, tmp_path: Path, policy: str) -> None:
    (tmp_path / "response").write_bytes(body_of(world, "unknown", policy=policy))
    said = run(tmp_path, "openssl", "ocsp", "-respin", "response", "-resp_text", "-noverify").stdout
    assert ("Response Extensions" in said) is (policy == "revoked")
    assert ("Cert Status: revoked" in said) is (policy == "revoked")
    assert ("Cert Status: unknown" in said) is (policy == "unknown")


@pytest.mark.parametrize("state", STATES)
def test_asn1crypto_writes_the_same_bytes_again(world: Any, state: str) -> None:
    body = body_of(world, state, nonce=bytes(16))
    again = asn1crypto_ocsp.OCSPResponse.load(body, strict=True)
    assert again.native["response_status"] == "successful"
    assert again.dump(force=True) == body
    assert ocsp.load_der_ocsp_response(body).public_bytes(Encoding.DER) == body


@pytest.mark.parametrize(
    "algorithm",
    [KeyAlgorithm.RSA_3072, KeyAlgorithm.EC_P384, KeyAlgorithm.ED25519, KeyAlgorithm.ML_DSA_65],
    ids=lambda algorithm: algorithm.value,
)
def test_every_kind_of_key_signs_lists_and_answers(build_world: Any, algorithm: KeyAlgorithm) -> None:
    world = build_world(algorithm)
    body = body_of(world, "revoked")
    answer = OcspAnswer.parse(body)
    assert answer.data is not None
    (delegate,) = answer.certificates
    verify_signature(delegate.public_key_info, answer.signature_algorithm, answer.data.der, answer.signature)
    assert lint_ocsp_with_pkilint(body) == ()
    for crl in world.crls.issue(SYSTEM_ACTOR, "issuing"):
        issuer = x509.load_der_x509_certificate(world.issuing.certificate).public_key()
        assert x509.load_der_x509_crl(crl.der).is_signature_valid(issuer)
        assert lint_crl_with_pkilint(crl.der) == ()


def test_a_responder_started_before_the_authority_was_made_answers_for_it(
    start_world: Any,
) -> None:
    transactions, keys, initialise = start_world
    early = Responder(transactions, keys, validity=timedelta(hours=1), unknown_serial="unknown")
    unknown = CertId.make(issuer=b"\x30\x00", issuer_public_key_info=NOBODY, serial=1)
    assert OcspAnswer.parse(early.answer(ocsp_request([unknown])).body).status is ResponseStatus.UNAUTHORIZED
    world = initialise()
    certificate = SignedCertificate.parse(world.issuing.certificate)
    asked = CertId.make(
        issuer=certificate.subject,
        issuer_public_key_info=certificate.public_key_info,
        serial=world.certificate().serial.value,
    )
    assert OcspAnswer.parse(early.answer(ocsp_request([asked])).body).status is ResponseStatus.SUCCESSFUL
