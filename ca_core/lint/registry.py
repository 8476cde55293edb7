"""Every rule there is, by the structure it judges. A rule that is not named here does not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ca_core.lint.certificate_subject import CertificateSubject
from ca_core.lint.crl_subject import CrlSubject
from ca_core.lint.ocsp_subject import OcspSubject
from ca_core.lint.rules import (
    en319412_5_4_1_qc_statements,
    invariant_6_not_after_within_issuer,
    rfc3161_2_3_authority,
    rfc3161_2_3_time_stamping,
    rfc3161_2_4_2_request,
    rfc3161_2_4_2_times,
    rfc5280_4_1_1_2_signature,
    rfc5280_4_1_2_1_version,
    rfc5280_4_1_2_2_serial,
    rfc5280_4_1_2_4_issuer,
    rfc5280_4_1_2_5_validity,
    rfc5280_4_1_2_6_subject,
    rfc5280_4_1_2_7_public_key,
    rfc5280_4_1_2_8_unique_identifiers,
    rfc5280_4_2_1_1_authority_key_identifier,
    rfc5280_4_2_1_2_subject_key_identifier,
    rfc5280_4_2_1_3_key_usage,
    rfc5280_4_2_1_4_certificate_policies,
    rfc5280_4_2_1_6_subject_alternative_name,
    rfc5280_4_2_1_9_basic_constraints,
    rfc5280_4_2_1_12_extended_key_usage,
    rfc5280_4_2_1_13_crl_distribution_points,
    rfc5280_4_2_1_15_freshest_crl,
    rfc5280_4_2_2_1_authority_information_access,
    rfc5280_4_2_unique_extensions,
    rfc5280_5_1_2_2_signature,
    rfc5280_5_1_2_3_issuer,
    rfc5280_5_1_2_4_times,
    rfc5280_5_1_2_6_revoked_certificates,
    rfc5280_5_2_1_authority_key_identifier,
    rfc5280_5_2_3_crl_number,
    rfc5280_5_2_4_delta_crl_indicator,
    rfc5280_5_2_5_issuing_distribution_point,
    rfc5280_5_2_6_freshest_crl,
    rfc5280_6_1_4_issuer,
    rfc5280_a_1_name_strings,
    rfc5652_11_signed_attributes,
    rfc5816_2_2_1_signing_certificate,
    rfc6960_2_2_certificate_status,
    rfc6960_4_2_2_1_times,
    rfc6960_4_2_2_2_ocsp_signing,
    rfc6960_4_2_2_2_responder,
    rfc6960_4_4_8_extended_revoke,
    rfc9654_2_1_nonce,
    x509_9_2_2_5_private_key_usage_period,
    x690_11_5_default_values,
)
from ca_core.lint.timestamp_subject import TimestampSubject

CERTIFICATE_RULES: tuple[tuple[str, Callable[[CertificateSubject], Iterable[str]]], ...] = (
    ("en319412_5_4_1_qc_statements", en319412_5_4_1_qc_statements.check),
    ("invariant_6_not_after_within_issuer", invariant_6_not_after_within_issuer.check),
    ("rfc3161_2_3_time_stamping", rfc3161_2_3_time_stamping.check),
    ("rfc5280_4_1_1_2_signature", rfc5280_4_1_1_2_signature.check),
    ("rfc5280_4_1_2_1_version", rfc5280_4_1_2_1_version.check),
    ("rfc5280_4_1_2_2_serial", rfc5280_4_1_2_2_serial.check),
    ("rfc5280_4_1_2_4_issuer", rfc5280_4_1_2_4_issuer.check),
    ("rfc5280_4_1_2_5_validity", rfc5280_4_1_2_5_validity.check),
    ("rfc5280_4_1_2_6_subject", rfc5280_4_1_2_6_subject.check),
    ("rfc5280_4_1_2_7_public_key", rfc5280_4_1_2_7_public_key.check),
    ("rfc5280_4_1_2_8_unique_identifiers", rfc5280_4_1_2_8_unique_identifiers.check),
    ("rfc5280_4_2_1_12_extended_key_usage", rfc5280_4_2_1_12_extended_key_usage.check),
    ("rfc5280_4_2_1_13_crl_distribution_points", rfc5280_4_2_1_13_crl_distribution_points.check),
    ("rfc5280_4_2_1_15_freshest_crl", rfc5280_4_2_1_15_freshest_crl.check),
    ("rfc5280_4_2_1_1_authority_key_identifier", rfc5280_4_2_1_1_authority_key_identifier.check),
    ("rfc5280_4_2_1_2_subject_key_identifier", rfc5280_4_2_1_2_subject_key_identifier.check),
    ("rfc5280_4_2_1_3_key_usage", rfc5280_4_2_1_3_key_usage.check),
    ("rfc5280_4_2_1_4_certificate_policies", rfc5280_4_2_1_4_certificate_policies.check),
    ("rfc5280_4_2_1_6_subject_alternative_name", rfc5280_4_2_1_6_subject_alternative_name.check),
    ("rfc5280_4_2_1_9_basic_constraints", rfc5280_4_2_1_9_basic_constraints.check),
    ("rfc5280_4_2_2_1_authority_information_access", rfc5280_4_2_2_1_authority_information_access.check),
    ("rfc5280_4_2_unique_extensions", rfc5280_4_2_unique_extensions.check),
    ("rfc5280_6_1_4_issuer", rfc5280_6_1_4_issuer.check),
    ("rfc5280_a_1_name_strings", rfc5280_a_1_name_strings.check),
    ("rfc6960_4_2_2_2_ocsp_signing", rfc6960_4_2_2_2_ocsp_signing.check),
    ("x509_9_2_2_5_private_key_usage_period", x509_9_2_2_5_private_key_usage_period.check),
    ("x690_11_5_default_values", x690_11_5_default_values.check),
)
"""Run over every TBSCertificate, in this order."""

CRL_RULES: tuple[tuple[str, Callable[[CrlSubject], Iterable[str]]], ...] = (
    ("rfc5280_5_1_2_2_signature", rfc5280_5_1_2_2_signature.check),
    ("rfc5280_5_1_2_3_issuer", rfc5280_5_1_2_3_issuer.check),
    ("rfc5280_5_1_2_4_times", rfc5280_5_1_2_4_times.check),
    ("rfc5280_5_1_2_6_revoked_certificates", rfc5280_5_1_2_6_revoked_certificates.check),
    ("rfc5280_5_2_1_authority_key_identifier", rfc5280_5_2_1_authority_key_identifier.check),
    ("rfc5280_5_2_3_crl_number", rfc5280_5_2_3_crl_number.check),
    ("rfc5280_5_2_4_delta_crl_indicator", rfc5280_5_2_4_delta_crl_indicator.check),
    ("rfc5280_5_2_5_issuing_distribution_point", rfc5280_5_2_5_issuing_distribution_point.check),
    ("rfc5280_5_2_6_freshest_crl", rfc5280_5_2_6_freshest_crl.check),
)
"""Run over every TBSCertList."""

OCSP_RULES: tuple[tuple[str, Callable[[OcspSubject], Iterable[str]]], ...] = (
    ("rfc6960_2_2_certificate_status", rfc6960_2_2_certificate_status.check),
    ("rfc6960_4_2_2_1_times", rfc6960_4_2_2_1_times.check),
    ("rfc6960_4_2_2_2_responder", rfc6960_4_2_2_2_responder.check),
    ("rfc6960_4_4_8_extended_revoke", rfc6960_4_4_8_extended_revoke.check),
    ("rfc9654_2_1_nonce", rfc9654_2_1_nonce.check),
)
"""Run over every OCSP ResponseData."""

TIMESTAMP_RULES: tuple[tuple[str, Callable[[TimestampSubject], Iterable[str]]], ...] = (
    ("rfc3161_2_3_authority", rfc3161_2_3_authority.check),
    ("rfc3161_2_4_2_request", rfc3161_2_4_2_request.check),
    ("rfc3161_2_4_2_times", rfc3161_2_4_2_times.check),
    ("rfc5652_11_signed_attributes", rfc5652_11_signed_attributes.check),
    ("rfc5816_2_2_1_signing_certificate", rfc5816_2_2_1_signing_certificate.check),
)
"""Run over every TSTInfo and its signed attributes."""
