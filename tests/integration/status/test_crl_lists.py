"""What stands in the lists, and who agrees: cryptography, openssl, GnuTLS, pkilint, asn1crypto."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1crypto_crl
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.lint.pkilint_run import lint_crl_with_pkilint
from ca_core.x509.pem import to_pem

R = RevocationReason


def listed(world: Any, partition: int) -> x509.CertificateRevocationList:
    """Issue the list now, and read it."""
    (published,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=partition)
    return x509.load_der_x509_crl(published.der)


def entry_of(world: Any, certificate: Any, partition: int = 0) -> x509.RevokedCertificate | None:
    return listed(world, partition).get_revoked_certificate_by_serial_number(certificate.serial.value)


@pytest.mark.parametrize(
    ("reason", "flag"),
    [
        (R.KEY_COMPROMISE, x509.ReasonFlags.key_compromise),
        (R.AFFILIATION_CHANGED, x509.ReasonFlags.affiliation_changed),
        (R.SUPERSEDED, x509.ReasonFlags.superseded),
        (R.CESSATION_OF_OPERATION, x509.ReasonFlags.cessation_of_operation),
        (R.PRIVILEGE_WITHDRAWN, x509.ReasonFlags.privilege_withdrawn),
    ],
    ids=lambda value: value.label if isinstance(value, R) else "",
)
def test_a_revoked_certificate_is_listed_with_its_reason_and_moment(
    world: Any, reason: RevocationReason, flag: x509.ReasonFlags
) -> None:
    revoked = world.revoke(world.certificate(), reason)
    entry = entry_of(world, revoked)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is flag
    assert entry.revocation_date_utc == revoked.revoked_at.replace(microsecond=0)


def test_unspecified_is_left_out(world: Any) -> None:
    entry = entry_of(world, world.revoke(world.certificate(), R.UNSPECIFIED))
    assert entry is not None
    assert len(entry.extensions) == 0  # RFC 5280 §5.3.1


def test_a_hold_is_listed_and_goes_when_it_is_lifted(world: Any) -> None:
    certificate = world.hold(world.certificate())
    entry = entry_of(world, certificate)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.certificate_hold
    world.unhold(certificate)
    assert entry_of(world, certificate) is None


def test_an_abandoned_intent_is_listed_since_it_may_exist(world: Any) -> None:
    entry = entry_of(world, world.abandoned())
    assert entry is not None
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.cessation_of_operation


def test_the_invalidity_date_is_listed(world: Any) -> None:
    since = (world.clock() - timedelta(days=3)).replace(microsecond=0)
    entry = entry_of(world, world.revoke(world.certificate(), R.KEY_COMPROMISE, invalidity_date=since))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == since


def test_neither_an_issued_certificate_nor_an_intent_is_listed(world: Any) -> None:
    assert entry_of(world, world.certificate()) is None
    assert entry_of(world, world.intent()) is None


def test_an_entry_stays_for_a_list_after_its_certificate_ended_and_goes_then(world: Any) -> None:
    office = world.office()
    short = world.revoke(world.certificate(valid_for=timedelta(hours=2)))

    def is_listed() -> bool:
        (crl,) = office.issue(SYSTEM_ACTOR, "issuing", partition=0)
        return x509.load_der_x509_crl(crl.der).get_revoked_certificate_by_serial_number(short.serial.value) is not None

    assert is_listed()
    world.clock.ahead = timedelta(hours=3)
    assert is_listed(), "RFC 5280 §3.3: on one regular list after its certificate ended"
    world.clock.ahead = timedelta(hours=28)
    assert is_listed(), "the list before was older than a rebuild interval"
    world.clock.ahead = timedelta(hours=56)
    assert not is_listed()


def test_a_partition_lists_its_own_certificates_and_the_complete_list_all_of_them(world: Any) -> None:
    revoked = {partition: world.revoke(world.certificate(partition=partition)) for partition in (1, 2, 3, 4)}
    for partition in (1, 2, 3, 4):
        found = {one for one, row in revoked.items() if entry_of(world, row, partition) is not None}
        assert found == {partition}
    complete = listed(world, 0)
    assert all(complete.get_revoked_certificate_by_serial_number(row.serial.value) for row in revoked.values())


def test_invariant_9_a_partition_names_the_address_in_its_certificates(world: Any) -> None:
    certificate = world.certificate(partition=3)
    points = x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(
        x509.CRLDistributionPoints
    )
    extension = listed(world, 3).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert extension.critical
    assert extension.value.full_name == points.value[0].full_name
    assert extension.value.full_name[0].value == (f"{world.base_url}/crl/{world.issuing.key_identifier.hex()}/3.crl")


def test_the_complete_list_has_no_distribution_point(world: Any) -> None:
    with pytest.raises(x509.ExtensionNotFound):
        listed(world, 0).extensions.get_extension_for_class(x509.IssuingDistributionPoint)


def test_times_and_identifiers(world: Any) -> None:
    before = world.clock().replace(microsecond=0)
    (published,) = world.office(lifetime=timedelta(days=5)).issue(SYSTEM_ACTOR, "issuing", partition=0)
    crl = x509.load_der_x509_crl(published.der)
    assert before <= crl.last_update_utc <= world.clock()
    assert crl.next_update_utc == crl.last_update_utc + timedelta(days=5)
    assert (published.this_update, published.next_update) == (crl.last_update_utc, crl.next_update_utc)
    key = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key == world.issuing.key_identifier
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == published.number
    assert published.entries == len(list(crl))


def test_the_root_lists_nothing_when_nothing_of_it_is_revoked(world: Any) -> None:
    (published,) = world.crls.issue(SYSTEM_ACTOR, "root")
    crl = x509.load_der_x509_crl(published.der)
    assert len(list(crl)) == 0
    assert crl.is_signature_valid(x509.load_der_x509_certificate(world.root.certificate).public_key())


@pytest.fixture
def files(world: Any, tmp_path: Path) -> Path:
    """A directory with chain, a revoked and a good certificate, and both lists."""
    revoked = world.revoke(world.certificate(partition=2))
    good = world.certificate(partition=2)
    (full,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)
    (part,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=2)
    (root,) = world.crls.issue(SYSTEM_ACTOR, "root")
    for name, der in (("revoked", revoked.der), ("good", good.der), ("issuing", world.issuing.certificate)):
        (tmp_path / f"{name}.pem").write_text(to_pem(der))
    (tmp_path / "root.pem").write_text(to_pem(world.root.certificate))
    (tmp_path / "ca.pem").write_text(to_pem(world.issuing.certificate) + to_pem(world.root.certificate))
    for name, crl in (("full", full), ("part", part), ("root", root)):
        (tmp_path / f"{name}.crl").write_bytes(crl.der)
        pem = x509.load_der_x509_crl(crl.der).public_bytes(Encoding.PEM)
        (tmp_path / f"{name}.crl.pem").write_bytes(pem)
    return tmp_path


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["full", "part"])
def test_openssl_verifies_the_lists_signature(files: Path, name: str) -> None:
    done = run(files, "openssl", "crl", "-inform", "DER", "-in", f"{name}.crl", "-noout", "-CAfile", "ca.pem")
    assert done.returncode == 0
    assert "verify OK" in done.stderr


@pytest.mark.parametrize("crl", ["full", "part"])
@pytest.mark.parametrize(("certificate", "code"), [("good", 0), ("revoked", 2)])
def test_openssl_decides_by_the_list(files: Path, crl: str, certificate: str, code: int) -> None:
    (files / "crls.pem").write_bytes((files / f"{crl}.crl.pem").read_bytes() + (files / "root.crl.pem").read_bytes())
    done = run(
        files,
        *("openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl", "-CAfile", "root.pem"),
        *("-untrusted", "issuing.pem", "-CRLfile", "crls.pem", f"{certificate}.pem"),
    )
    assert done.returncode == code, done.stderr
    if code:
        assert "certificate revoked" in done.stderr


@pytest.mark.skipif(shutil.which("certtool") is None, reason="gnutls-bin is not installed")
@pytest.mark.parametrize("name", ["full", "part"])
def test_gnutls_verifies_the_list(files: Path, name: str) -> None:
    done = run(files, "certtool", "--verify-crl", "--load-ca-certificate", "ca.pem", "--infile", f"{name}.crl.pem")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verified" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["full", "part", "root"])
def test_pkilint_finds_nothing(files: Path, name: str) -> None:
    assert lint_crl_with_pkilint((files / f"{name}.crl").read_bytes()) == ()


@pytest.mark.parametrize("name", ["full", "part", "root"])
def test_other_readers_write_the_same_bytes_again(files: Path, name: str) -> None:
    der = (files / f"{name}.crl").read_bytes()
    again = asn1crypto_crl.CertificateList.load(der, strict=True)
    assert again.native["tbs_cert_list"]["version"] == "v2"
    assert again.dump(force=True) == der
    assert x509.load_der_x509_crl(der).public_bytes(Encoding.DER) == der


def test_moments_are_whole_seconds(world: Any) -> None:
    (published,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)
    moments: list[datetime] = [published.this_update, published.next_update]
    assert all(moment.microsecond == 0 and moment.tzinfo is not None for moment in moments)
