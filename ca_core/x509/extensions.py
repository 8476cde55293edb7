"""From a profile's extension rules to extensions (RFC 5280 §4.2, RFC 6960 §4.2.2.2.1, ETSI EN 319 412-5)."""

from __future__ import annotations

from collections.abc import Sequence

from ca_core.domain.errors import ConfigurationError
from ca_core.domain.profile import ExtensionRule
from ca_core.x509.asn1_value import compile_value
from ca_core.x509.certificate_policies import certificate_policies
from ca_core.x509.extension import Extension
from ca_core.x509.extension_context import Encoder, ExtensionContext
from ca_core.x509.extension_kinds import (
    authority_information_access,
    authority_key_identifier,
    basic_constraints,
    crl_distribution_points,
    extended_key_usage,
    freshest_crl,
    key_usage,
    ocsp_nocheck,
    private_key_usage_period,
    subject_alternative_name,
    subject_key_identifier,
)
from ca_core.x509.extension_parameters import Parameters
from ca_core.x509.qc_statements import qc_statements

__all__ = ["KINDS", "Extension", "ExtensionContext", "check_extension_rule", "encode_extensions"]

_SAN = "2.5.29.17"

KINDS = {
    "basic_constraints": ("2.5.29.19", basic_constraints),
    "key_usage": ("2.5.29.15", key_usage),
    "extended_key_usage": ("2.5.29.37", extended_key_usage),
    "certificate_policies": ("2.5.29.32", certificate_policies),
    "subject_alternative_name": (_SAN, subject_alternative_name),
    "subject_key_identifier": ("2.5.29.14", subject_key_identifier),
    "authority_key_identifier": ("2.5.29.35", authority_key_identifier),
    "crl_distribution_points": ("2.5.29.31", crl_distribution_points),
    "freshest_crl": ("2.5.29.46", freshest_crl),
    "authority_information_access": ("1.3.6.1.5.5.7.1.1", authority_information_access),
    "private_key_usage_period": ("2.5.29.16", private_key_usage_period),
    "qc_statements": ("1.3.6.1.5.5.7.1.3", qc_statements),
    "ocsp_nocheck": ("1.3.6.1.5.5.7.48.1.5", ocsp_nocheck),
}
"""Each kind with the extension's OID and the function that turns parameters into an encoder. Besides there is
``asn1``, which takes its OID from its parameters."""

_NEVER_CRITICAL = frozenset(
    {
        "subject_key_identifier",  # RFC 5280 §4.2.1.2
        "authority_key_identifier",  # RFC 5280 §4.2.1.1
        "freshest_crl",  # RFC 5280 §4.2.1.15
        "authority_information_access",  # RFC 5280 §4.2.2.1
        "private_key_usage_period",  # RFC 3280 §4.2.1.4
        "qc_statements",  # EN 319 412-5 §4.1
        "ocsp_nocheck",  # RFC 6960 §4.2.2.2.1
    }
)


def encode_extensions(rules: Sequence[ExtensionRule], context: ExtensionContext) -> list[Extension]:
    """The extensions of one certificate, in the order of the rules.

    :class:`ProfileViolation` for names or fields that cannot be certified, :class:`ConfigurationError` for a rule
    that :func:`check_extension_rule` would refuse and for an address that the issuer lacks.
    """
    extensions: list[Extension] = []
    seen: set[str] = set()
    for rule in rules:
        oid, encode = _compile(rule)
        if oid in seen:
            raise ConfigurationError(f"extension {rule.kind}: the profile writes {oid} twice")
        seen.add(oid)
        value = encode(context)
        if value is not None:
            # RFC 5280 §4.2.1.6: with an empty subject the alternative names are all there is.
            critical = rule.critical or (oid == _SAN and context.subject_is_empty)
            extensions.append(Extension(oid, critical, value))
    return extensions


def check_extension_rule(rule: ExtensionRule) -> None:
    """Return if the rule can be encoded; :class:`ConfigurationError` naming kind and key otherwise."""
    _compile(rule)


def _compile(rule: ExtensionRule) -> tuple[str, Encoder]:
    parameters = Parameters(rule.kind, rule.parameters)
    if rule.critical and rule.kind in _NEVER_CRITICAL:
        parameters.refuse("critical", "this extension is never critical")
    if rule.kind == "asn1":
        oid = parameters.oid("oid")
        encode = compile_value(parameters.table("value"))
    elif rule.kind in KINDS:
        oid, kind = KINDS[rule.kind]
        encode = kind(parameters)
    else:
        raise ConfigurationError(f"extension {rule.kind!r}: there is no such kind; use one of {', '.join(KINDS)}, asn1")
    parameters.close()
    return oid, encode
