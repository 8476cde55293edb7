"""Each rule on bytes that break it and nothing else, and every rule of the registry among them."""

# One case a line, however long: the tables are read by rows.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ca_core.lint.rules
from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.errors import InvalidInput, LintFailed
from ca_core.lint import (
    CERTIFICATE_RULES,
    CRL_RULES,
    OCSP_RULES,
    TIMESTAMP_RULES,
    LintContext,
    OcspLintContext,
    lint_certificate,
    lint_crl,
    lint_ocsp_response,
)
from ca_core.x509 import der, extension_values as oids
from ca_core.x509.algorithm import public_key_identifier, signature_algorithm_identifier
from ca_core.x509.crl_entries import encode_entries
from ca_core.x509.extension import Extension
from ca_core.x509.ocsp import EXTENDED_REVOKE, NEVER_ISSUED, NONCE, CertId, CertStatus, Revoked

# (rule, what is wrong, the draft that has it)
Case = tuple[str, str, Callable[[Any], Any]]

RSA = signature_algorithm_identifier(SignatureAlgorithm.RSA_PKCS1_SHA256)
ECDSA_SHA1 = der.sequence(der.oid("1.2.840.10045.4.1"))
START = datetime(2026, 1, 1, tzinfo=UTC)
SERVER_AUTH, CLIENT_AUTH, TIME_STAMPING, OCSP_SIGNING = (f"1.3.6.1.5.5.7.3.{last}" for last in (1, 2, 8, 9))


def cn(w: Any, value: bytes, oid: str = "2.5.4.3") -> Any:
    """The server's certificate with that one attribute as its subject."""
    return w.server.change(subject=w.name((oid, value)))


def san(w: Any, *names: bytes) -> Any:
    return w.server.swap(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(*names))


def period(w: Any, begin: timedelta, end: timedelta, *, critical: bool = False) -> Any:
    times = (der.implicit(n, der.generalized_time(START + at)) for n, at in enumerate((begin, end)))
    return w.server.plus(oids.PRIVATE_KEY_USAGE_PERIOD, der.sequence(*times), critical=critical)


def with_key(w: Any, public_key_info: bytes) -> Any:
    """The server's certificate for another key, with the identifier that belongs to it."""
    changed = w.server.change(public_key_info=public_key_info)
    return changed.swap(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(public_key_identifier(public_key_info)))


def small_rsa(_: Any) -> bytes:
    numbers = der.sequence(der.integer((1 << 1023) + 1), der.integer(65537))
    return der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL), der.bit_string(numbers))


def off_curve(w: Any) -> bytes:
    good: bytes = w.key(3)
    return good[:-1] + bytes([good[-1] ^ 1])


def statements(*listed: str) -> bytes:
    return der.sequence(*(der.sequence(der.oid(oid)) for oid in listed))


def policies(*listed: str) -> bytes:
    return statements(*listed)


def explicit_false(w: Any) -> Any:
    written = der.sequence(der.oid("1.2.3.4"), der.boolean(False), der.octet_string(der.NULL))
    return w.server.change(extensions=(*w.server.extensions, written))


SERVER: list[Case] = [
    ("rfc3161_2_3_time_stamping", "not-critical",
     lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes(TIME_STAMPING))),
    ("rfc3161_2_3_time_stamping", "other-purposes",
     lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes(TIME_STAMPING, CLIENT_AUTH), critical=True)),
    ("rfc3161_2_3_time_stamping", "other-usages",
     lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes(TIME_STAMPING), critical=True)
     .swap(oids.KEY_USAGE, w.usages(0, 4), critical=True)),
    ("en319412_5_4_1_qc_statements", "critical", lambda w: w.server.plus(oids.QC_STATEMENTS, statements("0.4.0.1862.1.1"), critical=True)),
    ("en319412_5_4_1_qc_statements", "twice", lambda w: w.server.plus(oids.QC_STATEMENTS, statements("0.4.0.1862.1.1", "0.4.0.1862.1.1"))),
    ("en319412_5_4_1_qc_statements", "no-sequence", lambda w: w.server.plus(oids.QC_STATEMENTS, der.NULL)),
    ("invariant_6_not_after_within_issuer", "a-second-later", lambda w: w.server.change(not_after=der.utc_time(START + timedelta(days=3650, seconds=1)))),
    ("rfc5280_4_1_1_2_signature", "other-kind-of-key", lambda w: w.server.change(signature_algorithm=RSA)),
    ("rfc5280_4_1_1_2_signature", "sha-1", lambda w: w.server.change(signature_algorithm=ECDSA_SHA1)),
    ("rfc5280_4_1_1_2_signature", "no-algorithm", lambda w: w.server.change(signature_algorithm=der.sequence())),
    ("rfc5280_4_1_2_1_version", "version-1", lambda w: w.server.change(version=b"")),
    ("rfc5280_4_1_2_1_version", "version-2", lambda w: w.server.change(version=b"\xa0\x03\x02\x01\x01")),
    ("rfc5280_4_1_2_2_serial", "zero", lambda w: w.server.change(serial=der.integer(0))),
    ("rfc5280_4_1_2_2_serial", "negative", lambda w: w.server.change(serial=der.integer(-5))),
    ("rfc5280_4_1_2_2_serial", "21-octets", lambda w: w.server.change(serial=der.integer(1 << 159))),
    ("rfc5280_4_1_2_4_issuer", "another-name", lambda w: w.server.change(issuer=w.common_name("issuing 2"))),
    ("rfc5280_4_1_2_4_issuer", "another-string-type", lambda w: w.server.change(issuer=w.name(("2.5.4.6", der.printable_string("XX")), ("2.5.4.3", der.printable_string("issuing"))))),
    ("rfc5280_4_1_2_4_issuer", "empty", lambda w: w.server.change(issuer=der.sequence())),
    ("rfc5280_4_1_2_5_validity", "generalized-before-2050", lambda w: w.server.change(not_before=der.generalized_time(START))),
    ("rfc5280_4_1_2_5_validity", "ends-before-it-begins", lambda w: w.server.change(not_after=der.utc_time(START - timedelta(seconds=1)))),
    ("rfc5280_4_1_2_5_validity", "ends-as-it-begins", lambda w: w.server.change(not_after=der.utc_time(START))),
    ("rfc5280_4_1_2_6_subject", "empty", lambda w: w.server.change(subject=der.sequence())),
    ("rfc5280_4_1_2_6_subject", "empty-without-names", lambda w: w.server.change(subject=der.sequence()).without(oids.SUBJECT_ALTERNATIVE_NAME)),
    ("rfc5280_4_1_2_7_public_key", "small-rsa", lambda w: with_key(w, small_rsa(w))),
    ("rfc5280_4_1_2_7_public_key", "off-curve", lambda w: with_key(w, off_curve(w))),
    ("rfc5280_4_1_2_8_unique_identifiers", "of-the-issuer", lambda w: w.server.change(after_key=der.implicit(1, der.bit_string(b"x")))),
    ("rfc5280_4_1_2_8_unique_identifiers", "of-the-subject", lambda w: w.server.change(after_key=der.implicit(2, der.bit_string(b"x")))),
    ("rfc5280_4_2_1_12_extended_key_usage", "twice", lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes(SERVER_AUTH, SERVER_AUTH))),
    ("rfc5280_4_2_1_12_extended_key_usage", "any", lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes("2.5.29.37.0"))),
    ("rfc5280_4_2_1_12_extended_key_usage", "none", lambda w: w.server.swap(oids.EXTENDED_KEY_USAGE, w.purposes())),
    ("rfc5280_4_2_1_13_crl_distribution_points", "critical", lambda w: w.server.swap(oids.CRL_DISTRIBUTION_POINTS, w.point("http://ca.example/2"), critical=True)),
    ("rfc5280_4_2_1_13_crl_distribution_points", "https", lambda w: w.server.swap(oids.CRL_DISTRIBUTION_POINTS, w.point("https://ca.example/2"))),
    ("rfc5280_4_2_1_13_crl_distribution_points", "ldap", lambda w: w.server.swap(oids.CRL_DISTRIBUTION_POINTS, w.point("ldap://ca.example/2"))),
    ("rfc5280_4_2_1_13_crl_distribution_points", "no-host", lambda w: w.server.swap(oids.CRL_DISTRIBUTION_POINTS, w.point("http:///2"))),
    ("rfc5280_4_2_1_13_crl_distribution_points", "no-point", lambda w: w.server.swap(oids.CRL_DISTRIBUTION_POINTS, der.sequence())),
    ("rfc5280_4_2_1_15_freshest_crl", "critical", lambda w: w.server.plus(oids.FRESHEST_CRL, w.point("http://ca.example/2"), critical=True)),
    ("rfc5280_4_2_1_15_freshest_crl", "https", lambda w: w.server.plus(oids.FRESHEST_CRL, w.point("https://ca.example/2"))),
    ("rfc5280_4_2_1_1_authority_key_identifier", "absent", lambda w: w.server.without(oids.AUTHORITY_KEY_IDENTIFIER)),
    ("rfc5280_4_2_1_1_authority_key_identifier", "critical", lambda w: w.server.swap(oids.AUTHORITY_KEY_IDENTIFIER, w.aki(public_key_identifier(w.key(2))), critical=True)),
    ("rfc5280_4_2_1_1_authority_key_identifier", "of-another-key", lambda w: w.server.swap(oids.AUTHORITY_KEY_IDENTIFIER, w.aki(public_key_identifier(w.key(1))))),
    ("rfc5280_4_2_1_2_subject_key_identifier", "critical", lambda w: w.server.swap(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(public_key_identifier(w.key(3))), critical=True)),
    ("rfc5280_4_2_1_2_subject_key_identifier", "of-another-key", lambda w: w.server.swap(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(public_key_identifier(w.key(1))))),
    ("rfc5280_4_2_1_3_key_usage", "no-usage", lambda w: w.server.swap(oids.KEY_USAGE, w.usages(), critical=True)),
    ("rfc5280_4_2_1_3_key_usage", "certificate-signing", lambda w: w.server.swap(oids.KEY_USAGE, w.usages(0, 5), critical=True)),
    ("rfc5280_4_2_1_3_key_usage", "encipherment-by-ec", lambda w: w.server.swap(oids.KEY_USAGE, w.usages(0, 2), critical=True)),
    ("rfc5280_4_2_1_3_key_usage", "encipher-only-alone", lambda w: w.server.swap(oids.KEY_USAGE, w.usages(0, 7), critical=True)),
    ("rfc5280_4_2_1_3_key_usage", "bit-9", lambda w: w.server.swap(oids.KEY_USAGE, w.usages(0, 9), critical=True)),
    ("rfc5280_4_2_1_3_key_usage", "trailing-zero-bits", lambda w: w.server.swap(oids.KEY_USAGE, der.bit_string(b"\x80\x00"), critical=True)),
    ("rfc5280_4_2_1_4_certificate_policies", "twice", lambda w: w.server.swap(oids.CERTIFICATE_POLICIES, policies("2.5.29.32.0", "2.5.29.32.0"))),
    ("rfc5280_4_2_1_4_certificate_policies", "none", lambda w: w.server.swap(oids.CERTIFICATE_POLICIES, der.sequence())),
    ("rfc5280_4_2_1_6_subject_alternative_name", "twice", lambda w: san(w, der.tlv(0x82, b"a.example"), der.tlv(0x82, b"a.example"))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "dns-underscore", lambda w: san(w, der.tlv(0x82, b"a_b.example"))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "dns-false-a-label", lambda w: san(w, der.tlv(0x82, b"xn--zzzzzz.example"))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "dns-not-ascii", lambda w: san(w, der.tlv(0x82, "пример.example".encode()))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "email", lambda w: san(w, der.tlv(0x81, b"nobody"))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "uri", lambda w: san(w, der.tlv(0x86, b"/relative"))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "ip-unspecified", lambda w: san(w, der.tlv(0x87, bytes(4)))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "ip-of-5-octets", lambda w: san(w, der.tlv(0x87, bytes(5)))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "directory-name", lambda w: san(w, der.explicit(4, w.common_name("x")))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "x400", lambda w: san(w, der.tlv(0xA3, b""))),
    ("rfc5280_4_2_1_6_subject_alternative_name", "none", lambda w: san(w)),
    ("rfc5280_4_2_1_9_basic_constraints", "ca-false-written", lambda w: w.server.plus(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(False)))),
    ("rfc5280_4_2_1_9_basic_constraints", "path-length-without-ca", lambda w: w.server.plus(oids.BASIC_CONSTRAINTS, der.sequence(der.integer(0)))),
    ("rfc5280_4_2_2_1_authority_information_access", "critical", lambda w: w.server.swap(oids.AUTHORITY_INFORMATION_ACCESS, w.access("1.3.6.1.5.5.7.48.1", "http://ca.example/ocsp"), critical=True)),
    ("rfc5280_4_2_2_1_authority_information_access", "unknown-method", lambda w: w.server.swap(oids.AUTHORITY_INFORMATION_ACCESS, w.access("1.3.6.1.5.5.7.48.3", "http://ca.example/ocsp"))),
    ("rfc5280_4_2_2_1_authority_information_access", "https", lambda w: w.server.swap(oids.AUTHORITY_INFORMATION_ACCESS, w.access("1.3.6.1.5.5.7.48.1", "https://ca.example/ocsp"))),
    ("rfc5280_4_2_unique_extensions", "twice", lambda w: w.server.plus(oids.CERTIFICATE_POLICIES, policies("2.5.29.32.0"))),
    ("rfc5280_a_1_name_strings", "country-as-utf8", lambda w: cn(w, der.utf8_string("XX"), "2.5.4.6")),
    ("rfc5280_a_1_name_strings", "country-of-3", lambda w: cn(w, der.printable_string("XXX"), "2.5.4.6")),
    ("rfc5280_a_1_name_strings", "common-name-of-65", lambda w: cn(w, der.utf8_string("x" * 65))),
    ("rfc5280_a_1_name_strings", "common-name-as-bmp", lambda w: cn(w, der.tlv(0x1E, "x".encode("utf-16-be")))),
    ("rfc5280_a_1_name_strings", "common-name-empty", lambda w: cn(w, der.utf8_string(""))),
    ("rfc5280_a_1_name_strings", "at-sign-in-printable", lambda w: cn(w, der.tlv(0x13, b"a@b"))),
    ("rfc5280_a_1_name_strings", "identifier-as-utf8", lambda w: cn(w, der.utf8_string("7707083893"), "1.2.643.100.4")),
    ("rfc5280_a_1_name_strings", "identifier-too-long", lambda w: cn(w, der.numeric_string("77070838931"), "1.2.643.100.4")),
    ("rfc5280_a_1_name_strings", "identifier-with-space", lambda w: cn(w, der.numeric_string("770708 893"), "1.2.643.100.4")),
    ("rfc5280_a_1_name_strings", "two-attributes-in-one", lambda w: w.server.change(subject=der.sequence(der.set_of(*(der.sequence(der.oid(f"2.5.4.{n}"), der.utf8_string("x")) for n in (3, 10)))))),
    ("rfc6960_4_2_2_2_ocsp_signing", "nocheck-without-purpose", lambda w: w.server.plus(oids.OCSP_NOCHECK, der.NULL)),
    ("rfc6960_4_2_2_2_ocsp_signing", "without-nocheck", lambda w: w.responder.without(oids.OCSP_NOCHECK)),
    ("rfc6960_4_2_2_2_ocsp_signing", "nocheck-critical", lambda w: w.responder.swap(oids.OCSP_NOCHECK, der.NULL, critical=True)),
    ("rfc6960_4_2_2_2_ocsp_signing", "nocheck-with-value", lambda w: w.responder.swap(oids.OCSP_NOCHECK, der.integer(1))),
    ("rfc6960_4_2_2_2_ocsp_signing", "other-purposes", lambda w: w.responder.swap(oids.EXTENDED_KEY_USAGE, w.purposes(OCSP_SIGNING, CLIENT_AUTH))),
    ("rfc6960_4_2_2_2_ocsp_signing", "without-digital-signature", lambda w: w.responder.swap(oids.KEY_USAGE, w.usages(1), critical=True)),
    ("x509_9_2_2_5_private_key_usage_period", "critical", lambda w: period(w, timedelta(0), timedelta(days=30), critical=True)),
    ("x509_9_2_2_5_private_key_usage_period", "after-the-end", lambda w: period(w, timedelta(0), timedelta(days=91))),
    ("x509_9_2_2_5_private_key_usage_period", "before-the-beginning", lambda w: period(w, timedelta(days=-1), timedelta(days=30))),
    ("x509_9_2_2_5_private_key_usage_period", "reversed", lambda w: period(w, timedelta(days=30), timedelta(days=20))),
    ("x690_11_5_default_values", "critical-false", explicit_false),
]  # fmt: skip
"""Signed by the issuing authority."""

CA_CONSTRAINTS = der.sequence(der.boolean(True), der.integer(0))
AUTHORITY: list[Case] = [
    ("rfc3161_2_3_time_stamping", "authority",
     lambda w: w.issuing.plus(oids.EXTENDED_KEY_USAGE, w.purposes(TIME_STAMPING), critical=True)),
    ("rfc5280_4_1_2_6_subject", "ca-without-name", lambda w: w.issuing.change(subject=der.sequence()).plus(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(0x82, b"a.example")), critical=True)),
    ("rfc5280_4_2_1_2_subject_key_identifier", "ca-without", lambda w: w.issuing.without(oids.SUBJECT_KEY_IDENTIFIER)),
    ("rfc5280_4_2_1_3_key_usage", "ca-without", lambda w: w.issuing.without(oids.KEY_USAGE)),
    ("rfc5280_4_2_1_3_key_usage", "ca-not-critical", lambda w: w.issuing.swap(oids.KEY_USAGE, w.usages(5, 6))),
    ("rfc5280_4_2_1_3_key_usage", "ca-that-signs-nothing", lambda w: w.issuing.swap(oids.KEY_USAGE, w.usages(6), critical=True)),
    ("rfc5280_4_2_1_9_basic_constraints", "ca-not-critical", lambda w: w.issuing.swap(oids.BASIC_CONSTRAINTS, CA_CONSTRAINTS)),
    ("rfc5280_4_2_1_9_basic_constraints", "negative-path-length", lambda w: w.issuing.swap(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True), der.integer(-1)), critical=True)),
    ("rfc6960_4_2_2_2_ocsp_signing", "ca-as-responder", lambda w: w.issuing.swap(oids.KEY_USAGE, w.usages(0, 5, 6), critical=True).plus(oids.EXTENDED_KEY_USAGE, w.purposes(OCSP_SIGNING)).plus(oids.OCSP_NOCHECK, der.NULL)),
]  # fmt: skip
"""Signed by the root."""

ISSUERS: list[Case] = [
    ("rfc5280_6_1_4_issuer", "no-ca", lambda w: w.issuing.without(oids.BASIC_CONSTRAINTS)),
    ("rfc5280_6_1_4_issuer", "may-not-sign", lambda w: w.issuing.swap(oids.KEY_USAGE, w.usages(6), critical=True)),
]
"""The issuing authority itself is wrong."""

CRLS: list[Case] = [
    ("rfc5280_5_1_2_2_signature", "other-kind-of-key", lambda w: w.crl.change(signature_algorithm=RSA)),
    ("rfc5280_5_1_2_2_signature", "sha-1", lambda w: w.crl.change(signature_algorithm=ECDSA_SHA1)),
    ("rfc5280_5_1_2_3_issuer", "another-name", lambda w: w.crl.change(issuer=w.common_name("root"))),
    ("rfc5280_5_1_2_4_times", "next-before-this", lambda w: w.crl.change(next_update=START)),
    ("rfc5280_5_1_2_4_times", "next-is-this", lambda w: w.crl.change(next_update=w.crl.this_update)),
    ("rfc5280_5_1_2_6_revoked_certificates", "twice", lambda w: w.crl.entry(0x55)),
    ("rfc5280_5_1_2_6_revoked_certificates", "out-of-order", lambda w: w.crl.entry(0x54)),
    ("rfc5280_5_1_2_6_revoked_certificates", "no-such-day", lambda w: w.crl.change(entries=(w.crl.entries[0].replace(b"260110", b"260230"),))),
    ("rfc5280_5_1_2_6_revoked_certificates", "cut", lambda w: w.crl.change(entries=(w.crl.entries[0][:-1],))),
    ("rfc5280_5_1_2_6_revoked_certificates", "in-the-future", lambda w: w.crl.entry(ago=timedelta(seconds=-1))),
    ("rfc5280_5_1_2_6_revoked_certificates", "remove-from-full", lambda w: w.crl.entry(reason=8)),
    ("rfc5280_5_1_2_6_revoked_certificates", "negative-serial", lambda w: w.crl.change(entries=(der.sequence(der.integer(-1), der.utc_time(START)),))),
    ("rfc5280_5_1_2_6_revoked_certificates", "reason-7", lambda w: w.crl.change(entries=(der.sequence(der.integer(9), der.utc_time(START), der.sequence(Extension(oids.REASON_CODE, False, der.enumerated(7)).der)),))),
    ("rfc5280_5_1_2_6_revoked_certificates", "unknown-critical", lambda w: w.crl.change(entries=(der.sequence(der.integer(9), der.utc_time(START), der.sequence(Extension("1.2.3", True, der.NULL).der)),))),
    ("rfc5280_5_2_1_authority_key_identifier", "of-another-key", lambda w: w.crl.change(authority_key_identifier=bytes(20))),
    ("rfc5280_5_2_6_freshest_crl", "https", lambda w: w.crl.change(freshest_url="https://ca.example/1-delta")),
    ("rfc5280_5_2_5_issuing_distribution_point", "https", lambda w: w.crl.change(distribution_point_url="https://ca.example/1")),
]  # fmt: skip

MOMENT = START + timedelta(days=10)
ANSWERS: list[Case] = [
    ("rfc6960_2_2_certificate_status", "twice", lambda w: w.ocsp.change(cert_ids=w.ocsp.cert_ids * 2)),
    ("rfc6960_2_2_certificate_status", "another-ca", lambda w: w.ocsp.change(cert_ids=(about(w, key=5),))),
    ("rfc6960_2_2_certificate_status", "remove-from-crl", lambda w: w.ocsp.change(status=Revoked(START, 8))),
    ("rfc6960_4_2_2_1_times", "known-later", lambda w: w.ocsp.change(this_update=MOMENT + timedelta(minutes=1))),
    ("rfc6960_4_2_2_1_times", "next-is-this", lambda w: w.ocsp.change(next_update=MOMENT)),
    ("rfc6960_4_2_2_1_times", "revoked-later", lambda w: w.ocsp.change(status=Revoked(MOMENT + timedelta(seconds=1), 1))),
    ("rfc6960_4_2_2_1_times", "responder-expired", lambda w: w.ocsp.change(produced_at=START + timedelta(days=91))),
    ("rfc6960_4_2_2_2_responder", "another-key", lambda w: w.ocsp.change(responder_key=w.key(5))),
    ("rfc6960_4_4_8_extended_revoke", "without", lambda w: w.ocsp.change(status=NEVER_ISSUED)),
    ("rfc9654_2_1_nonce", "empty", lambda w: w.ocsp.change(nonce=b"")),
    ("rfc9654_2_1_nonce", "129-octets", lambda w: w.ocsp.change(nonce=bytes(129))),
]  # fmt: skip


def about(w: Any, *, key: int) -> CertId:
    return CertId.make(issuer=w.issuing.subject, issuer_public_key_info=w.key(key), serial=1)


def answer_context(w: Any, **changes: Any) -> OcspLintContext:
    return replace(
        OcspLintContext(
            issuer_certificate=w.issuing.signed,
            responder_certificate=w.responder.signed,
            signature_algorithm=w.server.signature_algorithm,
        ),
        **changes,
    )


def fired(lint: Callable[..., object], tbs: bytes, context: object) -> set[str]:
    """The rules that object."""
    try:
        lint(tbs, context)
    except LintFailed as failure:
        return set(failure.fields)
    return set()


def cases(table: list[Case]) -> Any:
    return pytest.mark.parametrize(
        ("rule", "draft"),
        [(rule, draft) for rule, _, draft in table],
        ids=[f"{rule}-{what}" for rule, what, _ in table],
    )


@pytest.mark.parametrize("kind", ["server", "responder"])
def test_a_leaf_without_fault_passes(world: Any, kind: str) -> None:
    context = LintContext(issuer_certificate=world.issuing.signed)
    assert fired(lint_certificate, getattr(world, kind).tbs, context) == set()


def test_authorities_without_fault_pass(world: Any) -> None:
    assert fired(lint_certificate, world.root.tbs, LintContext(issuer_certificate=None)) == set()
    assert fired(lint_certificate, world.issuing.tbs, LintContext(issuer_certificate=world.root.signed)) == set()


LISTS = {
    "full": {},
    "empty": {"entries": ()},
    "partition": {"distribution_point_url": "http://ca.example/crl/1"},
    "delta": {"delta_base": 3},
    "with-deltas": {"freshest_url": "http://ca.example/crl/1-delta.crl"},
    "a-serial-that-needs-an-octet-for-its-sign": {
        "entries": (encode_entries([("81", 0, None, None), ("8101", 0, 1, 0)]),)
    },
}


@pytest.mark.parametrize("parts", LISTS.values(), ids=LISTS.keys())
def test_a_list_without_fault_passes(world: Any, parts: dict[str, Any]) -> None:
    assert fired(lint_crl, world.crl.change(**parts).tbs, LintContext(issuer_certificate=world.issuing.signed)) == set()


STATUSES = {
    "good": {},
    "unknown": {"status": CertStatus.UNKNOWN},
    "revoked": {"status": Revoked(START, 1)},
    "never-issued": {"status": NEVER_ISSUED, "extended_revoke": True},
    "without-nonce": {"nonce": None},
}


@pytest.mark.parametrize("parts", STATUSES.values(), ids=STATUSES.keys())
def test_an_answer_without_fault_passes(world: Any, parts: dict[str, Any]) -> None:
    assert fired(lint_ocsp_response, world.ocsp.change(**parts).tbs, answer_context(world)) == set()


@cases(SERVER)
def test_a_leaf_is_stopped_by_exactly_its_rule(world: Any, rule: str, draft: Callable[[Any], Any]) -> None:
    assert fired(lint_certificate, draft(world).tbs, LintContext(issuer_certificate=world.issuing.signed)) == {rule}


@cases(AUTHORITY)
def test_an_authority_is_stopped_by_exactly_its_rule(world: Any, rule: str, draft: Callable[[Any], Any]) -> None:
    assert fired(lint_certificate, draft(world).tbs, LintContext(issuer_certificate=world.root.signed)) == {rule}


@cases(ISSUERS)
def test_a_leaf_is_stopped_for_its_issuer(world: Any, rule: str, draft: Callable[[Any], Any]) -> None:
    assert fired(lint_certificate, world.server.tbs, LintContext(issuer_certificate=draft(world).signed)) == {rule}


def test_an_issuer_without_key_identifier_issues_nothing(world: Any) -> None:
    issuer = world.issuing.without(oids.SUBJECT_KEY_IDENTIFIER)
    leaf = world.server.swap(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence())
    assert fired(lint_certificate, leaf.tbs, LintContext(issuer_certificate=issuer.signed)) == {"rfc5280_6_1_4_issuer"}


def test_an_authority_under_one_without_room_is_stopped(world: Any) -> None:
    below = world.issuing.change(issuer=world.issuing.subject).swap(
        oids.AUTHORITY_KEY_IDENTIFIER, world.aki(public_key_identifier(world.key(2)))
    )
    found = fired(lint_certificate, below.tbs, LintContext(issuer_certificate=world.issuing.signed))
    assert found == {"rfc5280_4_2_1_9_basic_constraints"}


def test_a_root_is_stopped_whose_issuer_is_another_name(world: Any) -> None:
    root = world.root.change(issuer=world.common_name("another"))
    assert fired(lint_certificate, root.tbs, LintContext(issuer_certificate=None)) == {"rfc5280_4_1_2_4_issuer"}


@cases(CRLS)
def test_a_list_is_stopped_by_exactly_its_rule(world: Any, rule: str, draft: Callable[[Any], Any]) -> None:
    assert fired(lint_crl, draft(world).tbs, LintContext(issuer_certificate=world.issuing.signed)) == {rule}


# What the builder cannot write wrongly is changed in the bytes: (rule, list, bytes before, bytes after).
def critical_flag(oid: str, value: bytes, *, critical: bool) -> tuple[bytes, bytes]:
    return Extension(oid, not critical, value).der, Extension(oid, critical, value).der


CHANGED_LISTS: list[tuple[str, str, Callable[[Any], tuple[bytes, bytes, bytes]]]] = [
    ("rfc5280_5_2_3_crl_number", "critical", lambda w: (w.crl.tbs, *critical_flag(oids.CRL_NUMBER, der.integer(7), critical=True))),
    ("rfc5280_5_2_3_crl_number", "absent", lambda w: (w.crl.tbs, Extension(oids.CRL_NUMBER, False, der.integer(7)).der, b"")),
    ("rfc5280_5_2_1_authority_key_identifier", "critical", lambda w: (w.crl.tbs, *critical_flag(oids.AUTHORITY_KEY_IDENTIFIER, w.aki(public_key_identifier(w.key(2))), critical=True))),
    ("rfc5280_5_2_1_authority_key_identifier", "absent", lambda w: (w.crl.tbs, Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, w.aki(public_key_identifier(w.key(2)))).der, b"")),
    ("rfc5280_5_2_4_delta_crl_indicator", "not-critical", lambda w: (w.crl.change(delta_base=3).tbs, *critical_flag(oids.DELTA_CRL_INDICATOR, der.integer(3), critical=False))),
    ("rfc5280_5_2_4_delta_crl_indicator", "later-base", lambda w: (w.crl.change(delta_base=3).tbs, Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(3)).der, Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(7)).der)),
    ("rfc5280_5_2_5_issuing_distribution_point", "not-critical", lambda w: (w.crl.change(distribution_point_url="http://ca.example/1").tbs, *critical_flag(oids.ISSUING_DISTRIBUTION_POINT, der.decode(w.point("http://ca.example/1")).members[0].raw, critical=False))),
    ("rfc5280_5_2_6_freshest_crl", "critical", lambda w: (w.crl.change(freshest_url="http://ca.example/1").tbs, *critical_flag(oids.FRESHEST_CRL, w.point("http://ca.example/1"), critical=True))),
    ("rfc5280_5_2_6_freshest_crl", "of-a-delta", lambda w: (w.crl.change(freshest_url="http://ca.example/1").tbs, Extension(oids.CRL_NUMBER, False, der.integer(7)).der, Extension(oids.CRL_NUMBER, False, der.integer(7)).der + Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(3)).der)),
    ("rfc5280_5_1_2_4_times", "generalized-before-2050", lambda w: (w.crl.tbs, der.utc_time(w.crl.next_update), der.generalized_time(w.crl.next_update))),
    ("rfc5280_5_1_2_6_revoked_certificates", "empty-but-written", lambda w: (w.crl.change(entries=()).tbs, der.utc_time(w.crl.next_update), der.utc_time(w.crl.next_update) + der.sequence())),
]  # fmt: skip


def rewritten(element: Any, before: bytes, after: bytes) -> bytes:
    """The structure with one part put in place of another, all lengths right."""
    if element.raw == before:
        return after
    if not element.members:
        return bytes(element.raw)
    return der.tlv(element.tag, b"".join(rewritten(member, before, after) for member in element.members))


@pytest.mark.parametrize(
    ("rule", "change"),
    [(rule, change) for rule, _, change in CHANGED_LISTS],
    ids=[f"{rule}-{what}" for rule, what, _ in CHANGED_LISTS],
)
def test_a_changed_list_is_stopped_by_exactly_its_rule(
    world: Any, rule: str, change: Callable[[Any], tuple[bytes, bytes, bytes]]
) -> None:
    tbs, before, after = change(world)
    assert before in tbs
    tbs = rewritten(der.decode(tbs), before, after)
    assert fired(lint_crl, tbs, LintContext(issuer_certificate=world.issuing.signed)) == {rule}


def test_a_list_is_stopped_whose_issuer_may_not_sign_lists(world: Any) -> None:
    issuer = world.issuing.swap(oids.KEY_USAGE, world.usages(5), critical=True)
    found = fired(lint_crl, world.crl.tbs, LintContext(issuer_certificate=issuer.signed))
    assert found == {"rfc5280_5_1_2_3_issuer"}


@cases(ANSWERS)
def test_an_answer_is_stopped_by_exactly_its_rule(world: Any, rule: str, draft: Callable[[Any], Any]) -> None:
    assert fired(lint_ocsp_response, draft(world).tbs, answer_context(world)) == {rule}


def test_a_critical_extension_of_an_answer_is_stopped(world: Any) -> None:
    nonce = der.octet_string(world.ocsp.nonce)
    before, after = critical_flag(NONCE, nonce, critical=True)
    tbs = rewritten(der.decode(world.ocsp.tbs), before, after)
    assert fired(lint_ocsp_response, tbs, answer_context(world)) == {"rfc9654_2_1_nonce"}
    before, after = critical_flag(EXTENDED_REVOKE, der.NULL, critical=True)
    tbs = rewritten(der.decode(world.ocsp.change(extended_revoke=True).tbs), before, after)
    assert fired(lint_ocsp_response, tbs, answer_context(world)) == {"rfc6960_4_4_8_extended_revoke"}


RESPONDERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "without-purpose": lambda w: {"responder_certificate": w.responder.swap(oids.EXTENDED_KEY_USAGE, w.purposes(CLIENT_AUTH)).signed},
    "without-digital-signature": lambda w: {"responder_certificate": w.responder.swap(oids.KEY_USAGE, w.usages(1)).signed},
    "of-another-ca": lambda w: {"responder_certificate": w.responder.change(issuer=w.root.subject).signed},
    "algorithm-of-another-key": lambda w: {"signature_algorithm": RSA},
    "sha-1": lambda w: {"signature_algorithm": ECDSA_SHA1},
}  # fmt: skip


@pytest.mark.parametrize("change", RESPONDERS.values(), ids=RESPONDERS.keys())
def test_an_answer_is_stopped_for_its_responder(world: Any, change: Callable[[Any], dict[str, Any]]) -> None:
    found = fired(lint_ocsp_response, world.ocsp.tbs, answer_context(world, **change(world)))
    assert found == {"rfc6960_4_2_2_2_responder"}


NO_STRUCTURES = {
    "nothing": b"",
    "no-der": b"\xff" * 40,
    "null": der.NULL,
    "empty": der.sequence(),
    "cut": b"\x30\x82\x01",
}


@pytest.mark.parametrize("data", NO_STRUCTURES.values(), ids=NO_STRUCTURES.keys())
def test_what_is_no_structure_is_stopped_by_its_form(world: Any, data: bytes) -> None:
    context = LintContext(issuer_certificate=world.issuing.signed)
    assert fired(lint_certificate, data, context) == {"rfc5280_4_1_certificate"}
    assert fired(lint_crl, data, context) == {"rfc5280_5_1_crl"}
    assert fired(lint_ocsp_response, data, answer_context(world)) == {"rfc6960_4_2_1_response_data"}


def test_a_list_is_not_linted_without_its_issuer(world: Any) -> None:
    with pytest.raises((LintFailed, InvalidInput), match="lint"):
        lint_crl(world.crl.tbs, LintContext(issuer_certificate=None))


def test_every_finding_of_one_rule_is_told(world: Any) -> None:
    draft = world.server.change(serial=der.integer(-(1 << 160)), version=b"")
    with pytest.raises(LintFailed, match="rfc5280_4_1_2_1_version, rfc5280_4_1_2_2_serial") as caught:
        lint_certificate(draft.tbs, LintContext(issuer_certificate=world.issuing.signed))
    assert "longer than 20 octets; the serial number is not positive" in caught.value.fields["rfc5280_4_1_2_2_serial"]


def test_every_rule_has_a_case() -> None:
    shown = {rule for rule, *_ in (*SERVER, *AUTHORITY, *ISSUERS, *CRLS, *CHANGED_LISTS, *ANSWERS)}
    assert shown == {rule for rule, _ in (*CERTIFICATE_RULES, *CRL_RULES, *OCSP_RULES)}


def test_every_rule_module_runs() -> None:
    modules = {file.stem for file in Path(ca_core.lint.rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert modules == {rule for rule, _ in (*CERTIFICATE_RULES, *CRL_RULES, *OCSP_RULES, *TIMESTAMP_RULES)}
