"""The full external lint: pkilint over whole structures, as an independent second opinion.

pkilint is imported at the first use (about a second) and its validators are built once per kind of structure, so a
warm worker needs milliseconds per certificate. It wants complete structures: :func:`with_placeholder_signature` makes
one from bytes that are still to be signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from ca_core.domain.errors import ConfigurationError
from ca_core.domain.profile import Environment, Profile
from ca_core.lint.finding import Finding
from ca_core.x509 import der
from ca_core.x509.certificate import assemble
from ca_core.x509.name import RUSSIAN_IDENTIFIERS
from ca_core.x509.tbs_certificate import TbsCertificate

LINTERS = ("pkix", "etsi", "cabf-serverauth", "cabf-smime")
"""The rule sets for certificates: RFC 5280, EN 319 412, and the CA/Browser Forum's two Baseline Requirements."""

IN_DEMONSTRATIONS = ("etsi.internal_domain_name", "cabf.internal_domain_name")
"""What does not count in a demo installation: it has no public host name to put into addresses."""


def with_placeholder_signature(tbs: bytes) -> bytes:
    """A certificate with the algorithm that its TBSCertificate names and a signature that verifies nowhere."""
    # An ECDSA-Sig-Value, which also passes as the opaque octets of every other algorithm.
    placeholder = der.sequence(der.integer(1), der.integer(1))
    return assemble(tbs, TbsCertificate.parse(tbs).signature_algorithm.raw, placeholder)


def lint_by_profile(certificate: bytes, profile: Profile) -> tuple[Finding, ...]:
    """What the profile's own linters find in a DER certificate at severity WARNING and above."""
    allowed = IN_DEMONSTRATIONS if profile.environment is Environment.DEMO else ()
    found = lint_with_pkilint(certificate, linters=profile.linters)
    return tuple(finding for finding in found if finding.rule not in allowed)


def lint_with_pkilint(certificate: bytes, *, linters: Sequence[str] = ("pkix",)) -> tuple[Finding, ...]:
    """What pkilint finds in a DER certificate at severity WARNING and above.

    ``linters`` are of :data:`LINTERS`; :class:`ConfigurationError` for others. The findings name codes and places,
    never values.
    """
    found: list[Finding] = []
    for linter in linters:
        if linter not in LINTERS:
            raise ConfigurationError(f"there is no linter {linter!r}; use {', '.join(LINTERS)}")
        found += _run("certificate", certificate, _VALIDATORS[linter])
    return tuple(dict.fromkeys(found))


def lint_crl_with_pkilint(crl: bytes) -> tuple[Finding, ...]:
    """As :func:`lint_with_pkilint`, for a DER CRL against RFC 5280."""
    return tuple(_run("crl", crl, lambda _: (_crl_validator(), [])))


def lint_ocsp_with_pkilint(response: bytes) -> tuple[Finding, ...]:
    """As :func:`lint_with_pkilint`, for a DER OCSPResponse against RFC 6960."""
    return tuple(_run("ocsp", response, lambda _: (_ocsp_validator(), [])))


def _run(kind: str, encoded: bytes, choose: Callable[[Any], tuple[Any, list[Any]]]) -> Iterable[Finding]:
    from pkilint import finding_filter, loader
    from pkilint.validation import ValidationFindingSeverity
    from pyasn1.error import PyAsn1Error

    loaders = {
        "certificate": loader.RFC5280CertificateDocumentLoader,
        "crl": loader.RFC5280CertificateListDocumentLoader,
        "ocsp": loader.RFC6960OCSPResponseDocumentLoader,
    }
    try:
        document = loaders[kind]().load_der_document(encoded)
    except (ValueError, PyAsn1Error):
        return [Finding("pkilint.unreadable", f"pkilint cannot read the {kind}")]
    validator, filters = choose(document)
    results = validator.validate(document.root)
    if filters:
        results, _ = finding_filter.filter_results(filters, results)
    return [
        Finding(description.finding.code, f"{description.finding.severity.name} at {result.node.path}")
        for result in results
        for description in result.finding_descriptions
        if description.finding.severity <= ValidationFindingSeverity.WARNING
    ]


@cache
def _attribute_types() -> Mapping[Any, Any]:
    from pkilint.pkix import name
    from pyasn1.type.char import NumericString
    from pyasn1.type.constraint import ValueSizeConstraint
    from pyasn1.type.univ import ObjectIdentifier

    # What pkilint does not know it takes for a DirectoryString, which these are not.
    russian = {
        ObjectIdentifier(oid): NumericString().subtype(subtypeSpec=ValueSizeConstraint(digits, digits))
        for oid, (_, digits) in RUSSIAN_IDENTIFIERS.items()
    }
    return {**name.ATTRIBUTE_TYPE_MAPPINGS, **russian}


@cache
def _pkix_validator() -> Any:
    from pkilint.pkix import certificate, extension

    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(_attribute_types(), extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


@cache
def _etsi_validator(kind: Any) -> tuple[Any, list[Any]]:
    from pkilint import etsi
    from pkilint.pkix import certificate

    validator = certificate.create_pkix_certificate_validator_container(
        etsi.create_decoding_validators(kind), etsi.create_validators(kind)
    )
    return validator, etsi.create_etsi_finding_filters(kind)


@cache
def _serverauth_validator(kind: Any) -> tuple[Any, list[Any]]:
    from pkilint.cabf import serverauth
    from pkilint.pkix import certificate

    validator = certificate.create_pkix_certificate_validator_container(
        serverauth.create_decoding_validators(), serverauth.create_validators(kind)
    )
    return validator, serverauth.create_serverauth_finding_filters(kind)


@cache
def _smime_validator(level: Any, generation: Any) -> Any:
    from pkilint.cabf import smime
    from pkilint.pkix import certificate

    return certificate.create_pkix_certificate_validator_container(
        smime.create_decoding_validators(), smime.create_subscriber_validators(level, generation)
    )


@cache
def _crl_validator() -> Any:
    from pkilint import pkix
    from pkilint.pkix import crl, extension

    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(_attribute_types()),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


@cache
def _ocsp_validator() -> Any:
    from pkilint import pkix
    from pkilint.pkix import extension, ocsp

    return ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(_attribute_types()),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )


def _etsi(document: Any) -> tuple[Any, list[Any]]:
    from pkilint import etsi

    return _etsi_validator(etsi.determine_certificate_type(document))


def _serverauth(document: Any) -> tuple[Any, list[Any]]:
    from pkilint.cabf import serverauth

    return _serverauth_validator(serverauth.determine_certificate_type(document))


def _smime(document: Any) -> tuple[Any, list[Any]]:
    from pkilint.cabf import smime

    return _smime_validator(*smime.guess_validation_level_and_generation(document)), []


_VALIDATORS: dict[str, Callable[[Any], tuple[Any, list[Any]]]] = {
    "pkix": lambda _: (_pkix_validator(), []),
    "etsi": _etsi,
    "cabf-serverauth": _serverauth,
    "cabf-smime": _smime,
}
