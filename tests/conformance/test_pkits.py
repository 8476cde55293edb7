"""NIST PKITS 1.0.1, section 4: path validation judged by the suite that was made for it.

The certificates and lists come with the package cryptography-vectors. The count makes a table of docs/conformance.md,
which ``make docs`` writes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from asn1crypto import crl, x509

from ca_core.domain.path_validation import PathVerdict, Question, Reason, ValidationLimits, ValidationPolicy
from ca_core.validation.validator import PathValidator
from tests.conformance.pkits_tests import SECTIONS

CORPUS = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
THEN = datetime(2013, 6, 1, tzinfo=UTC)
"""The certificates are valid from 2010 to 2030, and DSA keys of 1,024 bits, which two have, counted until 2013."""
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
POLICIES = "2.16.840.1.101.3.2.1.48."
"""NIST's test policies."""


@dataclass(frozen=True)
class Pkits:
    """One test."""

    section: str
    end_entity: str
    valid: bool
    policy: ValidationPolicy

    @property
    def id(self) -> str:
        return f"{self.section.split()[0]}-{self.end_entity}"


def read_table() -> Iterator[Pkits]:
    for section, text in SECTIONS.items():
        for token in text.split():
            name, _, said = token.partition(":")
            asked = re.fullmatch(r"([+-]?)([0-9,]*)([ema]*)", said)
            assert asked is not None, token
            accepted = {POLICIES + number for number in asked[2].split(",") if number}
            policy = ValidationPolicy(
                certificate_policies=frozenset(accepted),
                explicit_policy="e" in asked[3],
                inhibit_policy_mapping="m" in asked[3],
                inhibit_any_policy="a" in asked[3],
            )
            valid = asked[1] == "+" if asked[1] else name.startswith("Valid")
            yield Pkits(section, name, valid, policy)


ALL = list(read_table())


@cache
def corpus() -> tuple[Mapping[str, x509.Certificate], Sequence[crl.CertificateList]]:
    certificates = {path.stem: x509.Certificate.load(path.read_bytes()) for path in (CORPUS / "certs").glob("*.crt")}
    return certificates, [crl.CertificateList.load(path.read_bytes()) for path in (CORPUS / "crls").glob("*.crl")]


def read(kind: str, name: str) -> bytes:
    return (CORPUS / kind / name).read_bytes()


def question(test: Pkits, at: datetime) -> Question:
    """The end entity with every certificate and list of the suite that has to do with a name above it, as whoever does
    not know the right path beforehand has them."""
    certificates, lists = corpus()
    found = {f"{test.end_entity}EE"}
    names = {certificates[f"{test.end_entity}EE"].subject.hashable}
    grown = True
    while grown:
        for one in found:
            names |= {certificates[one].issuer.hashable, *points_of(certificates[one])}
        more = {stem for stem, one in certificates.items() if one.subject.hashable in names}
        grown = not more <= found
        found |= more
    return Question(
        certificate=read("certs", f"{test.end_entity}EE.crt"),
        intermediates=tuple(read("certs", f"{stem}.crt") for stem in sorted(found)),
        lists=tuple(one.dump() for one in lists if one.issuer.hashable in names),
        at=at,
        policy=test.policy,
    )


def points_of(certificate: x509.Certificate) -> Iterator[str]:
    """Names of others that issue lists about it."""
    for point in certificate.crl_distribution_points_value or ():
        for name in point["crl_issuer"] or ():
            yield name.chosen.hashable


@cache
def verdict(test: Pkits, at: datetime = THEN) -> PathVerdict:
    return PathValidator(limits=ValidationLimits(), monotonic=time.monotonic).validate(
        question(test, at),
        anchors=[read("certs", "TrustAnchorRootCertificate.crt")],
        own=(),
        statuses=lambda chain: [None] * len(chain),
        now=at,
    )


@pytest.mark.parametrize("test", ALL, ids=lambda test: test.id)
def test_pkits_gives_the_expected_result(test: Pkits) -> None:
    found = verdict(test)
    assert found.valid is test.valid, found.sentence


def test_the_table_holds_every_end_entity_of_the_suite() -> None:
    entities = {path.stem.removesuffix("EE") for path in (CORPUS / "certs").glob("*Test*EE.crt")}
    assert {test.end_entity for test in ALL} == entities
    assert len(ALL) == 249


@pytest.mark.parametrize(
    "test", [test for test in ALL if "ValidDSA" in test.end_entity and test.valid], ids=lambda test: test.id
)
def test_dsa_of_1024_bits_is_not_accepted_today(test: Pkits) -> None:
    assert verdict(test, TODAY).reason is Reason.WEAK_ALGORITHM


def test_the_document_counts_these_results() -> None:
    text = DOCUMENT.read_text()
    begin, end = "<!-- pkits: begin -->\n", "<!-- pkits: end -->"
    assert text.count(begin) == text.count(end) == 1
    text = re.sub(f"(?s){begin}.*{end}", lambda _: f"{begin}{table()}{end}", text)
    if os.environ.get("PECHATNIK_WRITE_TABLES"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text, "run: make docs"


def table() -> str:
    lines = ["| section | tests | as expected |", "| --- | --: | --: |"]
    counts = {section: [test for test in ALL if test.section == section] for section in SECTIONS}
    for section, found in [*counts.items(), ("all", ALL)]:
        right = sum(verdict(test).valid is test.valid for test in found)
        lines.append(f"| {section} | {len(found)} | {right} |")
    return "\n".join(lines) + "\n"
