"""From a profile's rules to extension values; every mistake in a rule is found before a certificate is made."""

# One case a line, however long: the tables are read by rows.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings, strategies as st

from ca_core.domain.errors import CaError, ConfigurationError, ProfileViolation
from ca_core.domain.profile import ExtensionRule
from ca_core.x509 import der, extension_values
from ca_core.x509.extensions import KINDS, ExtensionContext, check_extension_rule, encode_extensions


def spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


EC = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
START = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = START.replace(tzinfo=None)
CONTEXT = ExtensionContext(
    subject_public_key_info=spki(EC),
    issuer_key_identifier=bytes(range(20)),
    not_before=START,
    not_after=START + timedelta(days=90),
    urls={
        "crl": "http://ca.example/1.crl",
        "freshest_crl": "http://ca.example/1-delta.crl",
        "ocsp": "http://ca.example/ocsp",
        "ca_issuers": "http://ca.example/1.cer",
    },
    san=(("dns", "a.example"), ("ip", "192.0.2.1"), ("dns", "a.example")),
    fields={"identification": 3, "tool": "Средство"},
)


def encoded(kind: str, parameters: Mapping[str, object], context: ExtensionContext = CONTEXT, **rule: Any) -> bytes:
    (extension,) = encode_extensions([ExtensionRule(kind=kind, parameters=parameters, **rule)], context)
    return extension.value


RIGHT: dict[str, tuple[str, Mapping[str, object], x509.ExtensionType]] = {
    "constraints-leaf": ("basic_constraints", {}, x509.BasicConstraints(ca=False, path_length=None)),
    "constraints-ca": ("basic_constraints", {"ca": True}, x509.BasicConstraints(ca=True, path_length=None)),
    "constraints-ca-0": (
        "basic_constraints",
        {"ca": True, "path_length": 0},
        x509.BasicConstraints(ca=True, path_length=0),
    ),
    "key-usage": (
        "key_usage",
        {"usages": ["digitalSignature", "non_repudiation"]},
        x509.KeyUsage(True, True, False, False, False, False, False, False, False),
    ),
    "key-usage-last-bit": (
        "key_usage",
        {"usages": ["key-agreement", "decipherOnly"]},
        x509.KeyUsage(False, False, False, False, True, False, False, False, True),
    ),
    "purposes": (
        "extended_key_usage",
        {"purposes": ["serverAuth", "1.2.3.4"]},
        x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1"), x509.ObjectIdentifier("1.2.3.4")]),
    ),
    "policies": (
        "certificate_policies",
        {"policies": [{"oid": "1.2.3", "cps": "https://ca.example/cps", "notice": "Внимание"}, {"oid": "1.2.4"}]},
        x509.CertificatePolicies(
            [
                x509.PolicyInformation(
                    x509.ObjectIdentifier("1.2.3"), ["https://ca.example/cps", x509.UserNotice(None, "Внимание")]
                ),
                x509.PolicyInformation(x509.ObjectIdentifier("1.2.4"), None),
            ]
        ),
    ),
    "alternative-names": (
        "subject_alternative_name",
        {},
        x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.IPAddress(IPv4Address("192.0.2.1"))]),
    ),
    "own-key": ("subject_key_identifier", {}, x509.SubjectKeyIdentifier.from_public_key(EC.public_key())),
    "issuer-key": ("authority_key_identifier", {}, x509.AuthorityKeyIdentifier(bytes(range(20)), None, None)),
    "crl": (
        "crl_distribution_points",
        {},
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([x509.UniformResourceIdentifier("http://ca.example/1.crl")], None, None, None)]
        ),
    ),
    "deltas": (
        "freshest_crl",
        {},
        x509.FreshestCRL(
            [
                x509.DistributionPoint(
                    [x509.UniformResourceIdentifier("http://ca.example/1-delta.crl")], None, None, None
                )
            ]
        ),
    ),
    "access": (
        "authority_information_access",
        {},
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(x509.ObjectIdentifier(oid), x509.UniformResourceIdentifier(url))
                for oid, url in (
                    ("1.3.6.1.5.5.7.48.1", "http://ca.example/ocsp"),
                    ("1.3.6.1.5.5.7.48.2", "http://ca.example/1.cer"),
                )
            ]
        ),
    ),
    "key-period": (
        "private_key_usage_period",
        {"days": 30},
        x509.PrivateKeyUsagePeriod(NAIVE, NAIVE + timedelta(days=30)),
    ),
    "key-period-cut": (
        "private_key_usage_period",
        {"days": 365},
        x509.PrivateKeyUsagePeriod(NAIVE, NAIVE + timedelta(days=90)),
    ),
    "nocheck": ("ocsp_nocheck", {}, x509.OCSPNoCheck()),
}


@pytest.mark.parametrize(("kind", "parameters", "expected"), RIGHT.values(), ids=RIGHT.keys())
def test_a_value_is_written_as_cryptography_writes_it(
    kind: str, parameters: Mapping[str, object], expected: x509.ExtensionType
) -> None:
    assert encoded(kind, parameters) == expected.public_bytes()


def test_every_kind_has_a_case() -> None:
    shown = {kind for kind, *_ in RIGHT.values()} | {"qc_statements"}
    assert shown == set(KINDS)


USAGES: dict[str, tuple[Any, set[str]]] = {
    "rsa": (rsa.generate_private_key(65537, 2048), {"digitalSignature", "keyEncipherment", "dataEncipherment"}),
    "ec": (EC, {"digitalSignature", "keyAgreement"}),
    "ed25519": (ed25519.Ed25519PrivateKey.generate(), {"digitalSignature"}),
    "ml-dsa": (mldsa.MLDSA44PrivateKey.generate(), {"digitalSignature"}),
}


@pytest.mark.parametrize(("key", "kept"), USAGES.values(), ids=USAGES.keys())
def test_usages_that_a_key_cannot_have_are_left_out(key: Any, kept: set[str]) -> None:
    context = replace(CONTEXT, subject_public_key_info=spki(key))
    listed = ["digitalSignature", "keyEncipherment", "dataEncipherment", "keyAgreement"]
    assert extension_values.key_usage(encoded("key_usage", {"usages": listed}, context)) == kept


def test_a_key_that_can_have_none_of_the_usages_is_refused() -> None:
    with pytest.raises(ProfileViolation, match="none of the key usages"):
        encoded("key_usage", {"usages": ["keyEncipherment"]})


QC: dict[str, tuple[Mapping[str, object], str]] = {
    "compliance": ({"compliance": True}, "300a3008060604008e460101"),
    "type": ({"types": ["eseal"]}, "30153013060604008e4601063009060704008e46010602"),
    "retention": ({"retention_years": 15}, "300d300b060604008e46010302010f"),
    "limit": (
        {"limit": {"currency": "EUR", "amount": 5, "exponent": 3}},
        "30173015060604008e460102300b1303455552020105020103",
    ),
    "legislation": ({"legislation": ["CH"]}, "3010300e060604008e46010730041302 4348".replace(" ", "")),
    "semantics": ({"semantics": "legal"}, "3017 3015 06082b06010505070b02 3009 060704008bec490102".replace(" ", "")),
}


@pytest.mark.parametrize(("parameters", "expected"), QC.values(), ids=QC.keys())
def test_qc_statements_are_written_as_en_319_412_5_says(parameters: Mapping[str, object], expected: str) -> None:
    assert encoded("qc_statements", parameters).hex() == expected


def test_a_disclosure_statement_is_an_address_and_a_language() -> None:
    (statement,) = der.decode(
        encoded("qc_statements", {"pds": [{"url": "https://a.example/p", "language": "en"}]})
    ).members
    (location,) = statement.members[1].members
    assert [one.text("it") for one in location.members] == ["https://a.example/p", "en"]


MISTAKES: dict[str, tuple[str, Mapping[str, object], str]] = {
    "no-kind": ("basic_constraint", {}, "there is no such kind"),
    "unknown-parameter": ("basic_constraints", {"cas": True}, "no such parameter"),
    "wrong-type": ("basic_constraints", {"ca": "yes"}, "true or false"),
    "path-without-ca": ("basic_constraints", {"path_length": 0}, "only a CA"),
    "path-negative": ("basic_constraints", {"ca": True, "path_length": -1}, "from 0 to"),
    "path-boolean": ("basic_constraints", {"ca": True, "path_length": True}, "from 0 to"),
    "no-usages": ("key_usage", {}, "required"),
    "empty-usages": ("key_usage", {"usages": []}, "at least one"),
    "usages-as-text": ("key_usage", {"usages": "digitalSignature"}, "list"),
    "unknown-usage": ("key_usage", {"usages": ["signing"]}, "is no key usage"),
    "usage-twice": ("key_usage", {"usages": ["cRLSign", "cRLSign"]}, "listed twice"),
    "unknown-purpose": ("extended_key_usage", {"purposes": ["tls"]}, "neither an OID"),
    "policy-oid": ("certificate_policies", {"policies": [{"oid": "1"}]}, "not an object identifier"),
    "policy-twice": ("certificate_policies", {"policies": [{"oid": "1.2.3"}, {"oid": "1.2.3"}]}, "listed twice"),
    "policy-cps": ("certificate_policies", {"policies": [{"oid": "1.2.3", "cps": "cps"}]}, "URI"),
    "policy-notice": ("certificate_policies", {"policies": [{"oid": "1.2.3", "notice": "x" * 201}]}, "200"),
    "policy-key": ("certificate_policies", {"policies": [{"oid": "1.2.3", "url": "x"}]}, "no such parameter"),
    "policies-as-table": ("certificate_policies", {"policies": {"oid": "1.2.3"}}, "list"),
    "policies-of-texts": ("certificate_policies", {"policies": ["1.2.3"]}, "table"),
    "wildcards": ("subject_alternative_name", {"wildcards": 1}, "true or false"),
    "method": ("authority_information_access", {"methods": ["http"]}, "neither ocsp nor ca_issuers"),
    "period": ("private_key_usage_period", {"days": 0}, "from 1 to"),
    "qc-nothing": ("qc_statements", {}, "at least one statement"),
    "qc-type": ("qc_statements", {"types": ["seal"]}, "is not one of"),
    "qc-semantics": ("qc_statements", {"semantics": "person"}, "use one of"),
    "qc-pds-http": ("qc_statements", {"pds": [{"url": "http://a.example/", "language": "en"}]}, "https"),
    "qc-pds-language": ("qc_statements", {"pds": [{"url": "https://a.example/", "language": "EN"}]}, "ISO 639"),
    "qc-currency": ("qc_statements", {"limit": {"currency": "euro", "amount": 1}}, "ISO 4217"),
    "qc-legislation": ("qc_statements", {"legislation": ["de"]}, "two capitals"),
    "asn1-no-oid": ("asn1", {"value": {"null": True}}, "required"),
    "asn1-no-value": ("asn1", {"oid": "1.2.3"}, "required"),
    "asn1-no-type": ("asn1", {"oid": "1.2.3", "value": {}}, "exactly one key"),
    "asn1-two-types": ("asn1", {"oid": "1.2.3", "value": {"utf8": "x", "ia5": "x"}}, "exactly one key"),
    "asn1-unknown-type": ("asn1", {"oid": "1.2.3", "value": {"real": "x"}}, "no such type"),
    "asn1-printable": ("asn1", {"oid": "1.2.3", "value": {"printable": "a@b"}}, "PrintableString"),
    "asn1-hex": ("asn1", {"oid": "1.2.3", "value": {"octets_hex": "0g"}}, "hexadecimal"),
    "asn1-null": ("asn1", {"oid": "1.2.3", "value": {"null": False}}, "null = true"),
    "asn1-integer": ("asn1", {"oid": "1.2.3", "value": {"integer": 1 << 63}}, "whole number"),
    "asn1-deep": (
        "asn1",
        {
            "oid": "1.2.3",
            "value": {
                "sequence": [
                    {
                        "sequence": [
                            {
                                "sequence": [
                                    {
                                        "sequence": [
                                            {
                                                "sequence": [
                                                    {
                                                        "sequence": [
                                                            {
                                                                "sequence": [
                                                                    {"sequence": [{"sequence": [{"null": True}]}]}
                                                                ]
                                                            }
                                                        ]
                                                    }
                                                ]
                                            }
                                        ]
                                    }
                                ]
                            }
                        ]
                    }
                ]
            },
        },
        "nested deeper",
    ),
}


@pytest.mark.parametrize(("kind", "parameters", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_a_rule_names_kind_and_reason(kind: str, parameters: Mapping[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^extension '?{kind}.*{says}"):
        check_extension_rule(ExtensionRule(kind=kind, parameters=parameters))


@pytest.mark.parametrize(
    "kind",
    [
        "subject_key_identifier",
        "authority_key_identifier",
        "authority_information_access",
        "ocsp_nocheck",
        "freshest_crl",
    ],
)
def test_what_is_never_critical_is_not_made_critical(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="never critical"):
        check_extension_rule(ExtensionRule(kind=kind, critical=True))


VALUES: dict[str, tuple[Mapping[str, object], bytes]] = {
    "utf8": ({"utf8": "Ж"}, der.utf8_string("Ж")),
    "printable": ({"printable": "a"}, der.printable_string("a")),
    "ia5": ({"ia5": "a@b"}, der.ia5_string("a@b")),
    "numeric": ({"numeric": "12"}, der.numeric_string("12")),
    "integer": ({"integer": -5}, der.integer(-5)),
    "boolean": ({"boolean": False}, der.boolean(False)),
    "oid": ({"oid": "1.2.3"}, der.oid("1.2.3")),
    "null": ({"null": True}, der.NULL),
    "octets": ({"octets_hex": "00ff"}, der.octet_string(b"\x00\xff")),
    "sequence": ({"sequence": [{"integer": 2}, {"integer": 1}]}, der.sequence(der.integer(2), der.integer(1))),
    "set": ({"set": [{"integer": 2}, {"integer": 1}]}, der.set_of(der.integer(1), der.integer(2))),
    "integer-field": ({"integer_field": "identification"}, der.integer(3)),
    "text-field": ({"sequence": [{"utf8_field": "tool"}]}, der.sequence(der.utf8_string("Средство"))),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES.keys())
def test_any_value_can_be_written_from_data(value: Mapping[str, object], expected: bytes) -> None:
    assert encoded("asn1", {"oid": "1.2.643.100.114", "value": value}) == expected


MISSING: dict[str, tuple[str, Mapping[str, object], ExtensionContext, type[CaError], str]] = {
    "number": (
        "asn1",
        {"oid": "1.2.3", "value": {"integer_field": "other"}},
        CONTEXT,
        ProfileViolation,
        "needs the number 'other'",
    ),
    "number-that-is-text": (
        "asn1",
        {"oid": "1.2.3", "value": {"integer_field": "tool"}},
        CONTEXT,
        ProfileViolation,
        "needs the number",
    ),
    "text": (
        "asn1",
        {"oid": "1.2.3", "value": {"utf8_field": "other"}},
        CONTEXT,
        ProfileViolation,
        "needs the text 'other'",
    ),
    "text-of-another-type": (
        "asn1",
        {"oid": "1.2.3", "value": {"printable_field": "tool"}},
        CONTEXT,
        ProfileViolation,
        "does not fit its type",
    ),
    "address": ("crl_distribution_points", {}, replace(CONTEXT, urls={}), ConfigurationError, "no crl address"),
    "bad-address": (
        "crl_distribution_points",
        {},
        replace(CONTEXT, urls={"crl": "http://a_b/"}),
        ConfigurationError,
        "cannot be written",
    ),
    "required-name": (
        "subject_alternative_name",
        {"required": True},
        replace(CONTEXT, san=()),
        ProfileViolation,
        "at least one alternative name",
    ),
    "wildcard": (
        "subject_alternative_name",
        {},
        replace(CONTEXT, san=(("dns", "*.example.com"),)),
        ProfileViolation,
        "wildcards are not allowed",
    ),
}


@pytest.mark.parametrize(("kind", "parameters", "context", "error", "says"), MISSING.values(), ids=MISSING.keys())
def test_what_a_certificate_lacks_for_an_extension_is_named(
    kind: str, parameters: Mapping[str, object], context: ExtensionContext, error: type[CaError], says: str
) -> None:
    with pytest.raises(error, match=says):
        encoded(kind, parameters, context)


def test_alternative_names_are_left_out_when_there_are_none_and_critical_when_there_is_nothing_else() -> None:
    rule = ExtensionRule(kind="subject_alternative_name")
    assert encode_extensions([rule], replace(CONTEXT, san=())) == []
    assert [one.critical for one in encode_extensions([rule], CONTEXT)] == [False]
    assert [one.critical for one in encode_extensions([rule], replace(CONTEXT, subject_is_empty=True))] == [True]


def test_a_self_signed_certificate_names_its_own_key() -> None:
    own = replace(CONTEXT, issuer_key_identifier=None)
    identifier = extension_values.subject_key_identifier(encoded("subject_key_identifier", {}, own))
    assert extension_values.authority_key_identifier(encoded("authority_key_identifier", {}, own)) == identifier


def test_one_extension_is_not_written_twice() -> None:
    rules = [
        ExtensionRule(kind="ocsp_nocheck"),
        ExtensionRule(kind="asn1", parameters={"oid": "1.3.6.1.5.5.7.48.1.5", "value": {"null": True}}),
    ]
    with pytest.raises(ConfigurationError, match="twice"):
        encode_extensions(rules, CONTEXT)


TREES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.text(max_size=5),
        st.integers(-(1 << 70), 1 << 70),
        st.booleans(),
        st.none(),
        st.sampled_from(["1.2.3", "http://a.example/"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "oid",
                    "value",
                    "utf8",
                    "sequence",
                    "set",
                    "integer",
                    "ca",
                    "path_length",
                    "usages",
                    "purposes",
                    "policies",
                    "methods",
                    "pds",
                    "url",
                    "limit",
                    "types",
                    "days",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([*KINDS, "asn1", "x"]),
    st.dictionaries(
        st.sampled_from(
            ["oid", "value", "ca", "usages", "purposes", "policies", "methods", "pds", "limit", "types", "days", "x"]
        ),
        TREES,
        max_size=3,
    ),
)
@settings(deadline=None, max_examples=400)
def test_any_parameters_are_encoded_or_refused(kind: str, parameters: Mapping[str, object]) -> None:
    rule = ExtensionRule(kind=kind, parameters=parameters)
    try:
        check_extension_rule(rule)
        values = encode_extensions([rule], CONTEXT)
    except CaError:
        return
    for value in values:
        der.decode(value.der)
