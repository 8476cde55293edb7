"""pkilint as a second opinion on whole structures."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.errors import ConfigurationError
from ca_core.domain.profile import LINTERS as PROFILE_LINTERS
from ca_core.lint.finding import Finding
from ca_core.lint.pkilint_run import (
    LINTERS,
    lint_crl_with_pkilint,
    lint_ocsp_with_pkilint,
    lint_with_pkilint,
    with_placeholder_signature,
)
from ca_core.x509 import der, extension_values as oids
from ca_core.x509.certificate import SignedCertificate, assemble
from ca_core.x509.ocsp import ResponseStatus, basic_response, ocsp_response


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.rule for finding in findings}


def test_what_our_own_rules_pass_pkilint_passes_too(world: Any) -> None:
    assert lint_with_pkilint(with_placeholder_signature(world.server.tbs)) == ()
    assert lint_with_pkilint(with_placeholder_signature(world.issuing.tbs)) == ()
    assert lint_crl_with_pkilint(assemble(world.crl.tbs, world.crl.signature_algorithm, b"\x00")) == ()


def test_a_placeholder_signature_makes_a_certificate_of_the_same_bytes(world: Any) -> None:
    made = SignedCertificate.parse(with_placeholder_signature(world.server.tbs))
    assert made.tbs == world.server.tbs
    assert made.signature_algorithm == world.server.signature_algorithm


def test_faults_are_found_with_code_severity_and_place(world: Any) -> None:
    wrong = world.server.swap(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(0x82, b"secret value.example")))
    (finding,) = lint_with_pkilint(with_placeholder_signature(wrong.tbs))
    assert finding.rule == "pkix.invalid_domain_name_syntax"
    assert finding.detail.startswith("ERROR at certificate.tbsCertificate.extensions")
    assert "secret" not in str(finding)


@pytest.mark.parametrize("linter", [linter for linter in LINTERS if linter != "pkix"])
def test_every_set_of_rules_objects_to_a_certificate_of_another_kind(world: Any, linter: str) -> None:
    assert lint_with_pkilint(with_placeholder_signature(world.server.tbs), linters=(linter,))


def test_a_finding_of_two_sets_is_told_once(world: Any) -> None:
    wrong = world.server.change(serial=der.integer(-1)).signed
    found = lint_with_pkilint(wrong, linters=("pkix", "pkix"))
    assert len(found) == len(set(found)) >= 1


def test_an_unknown_set_of_rules_is_a_configuration_error(world: Any) -> None:
    with pytest.raises(ConfigurationError, match="no linter 'webpki'; use pkix"):
        lint_with_pkilint(world.server.signed, linters=("webpki",))


def test_profiles_and_linters_know_the_same_names() -> None:
    assert set(LINTERS) == PROFILE_LINTERS


@pytest.mark.parametrize("data", [b"", b"\x30", b"0\x00", b"\xff" * 100, der.NULL], ids=repr)
def test_what_it_cannot_read_is_a_finding(data: bytes) -> None:
    for lint in (lint_with_pkilint, lint_crl_with_pkilint, lint_ocsp_with_pkilint):
        assert lint(data)


def test_lists_and_answers_with_faults_are_found(world: Any) -> None:
    crl = world.crl.change(issuer=der.sequence()).tbs
    assert lint_crl_with_pkilint(assemble(crl, world.crl.signature_algorithm, b"\x00"))
    answer = basic_response(
        world.ocsp.change(next_update=world.ocsp.this_update - timedelta(days=1)).tbs,
        signature_algorithm=world.server.signature_algorithm,
        signature=b"\x00",
    )
    assert lint_ocsp_with_pkilint(ocsp_response(ResponseStatus.SUCCESSFUL, answer))


RUSSIAN = [("1.2.643.100.4", "7707083893"), ("1.2.643.100.1", "1027700132195"), ("1.2.643.3.131.1.1", "500100732259")]


@pytest.mark.parametrize(("oid", "digits"), RUSSIAN, ids=[oid for oid, _ in RUSSIAN])
def test_russian_identifiers_are_known_in_their_type_and_size(world: Any, oid: str, digits: str) -> None:
    right = world.server.change(subject=world.name((oid, der.numeric_string(digits))))
    assert lint_with_pkilint(with_placeholder_signature(right.tbs)) == ()
    for value in (der.utf8_string(digits), der.numeric_string(digits + "0")):
        wrong = world.server.change(subject=world.name((oid, value)))
        assert lint_with_pkilint(with_placeholder_signature(wrong.tbs)), value


def test_many_threads_get_the_same_answer(world: Any) -> None:
    good = with_placeholder_signature(world.server.tbs)
    bad = world.server.change(serial=der.integer(-1)).signed
    expected = lint_with_pkilint(bad)
    assert expected
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lint_with_pkilint, [good, bad] * 20))
    assert found == [(), expected] * 20


def test_pkilint_is_not_imported_before_it_is_needed() -> None:
    check = "import sys, ca_core.lint.pkilint_run; sys.exit('pkilint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
