"""What the certificate in question is to be used for (RFC 5280 §4.2.1.3 and §4.2.1.12)."""

from __future__ import annotations

from asn1crypto import x509

from ca_core.domain.path_validation import Reason, ValidationPolicy
from ca_core.validation.failure import Failure

USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "non_repudiation",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
"""As RFC 5280 names them, and as asn1crypto does."""
ANY_PURPOSE = "2.5.29.37.0"


def check_usage(certificate: x509.Certificate, policy: ValidationPolicy) -> None:
    """Failure where a usage or purpose is asked for that the certificate does not have. An extension that is absent
    restricts nothing."""
    usage, purposes = certificate.key_usage_value, certificate.extended_key_usage_value
    if usage is not None:
        lacking = [name for name in sorted(policy.key_usage) if USAGES[name] not in usage.native]
        if lacking:
            raise Failure(Reason.KEY_USAGE, f"may not be used for {', '.join(lacking)} (keyUsage)")
    if purposes is not None:
        given = {purpose.dotted for purpose in purposes}
        lacking = sorted(policy.extended_key_usage - given)
        if lacking and ANY_PURPOSE not in given:
            raise Failure(Reason.KEY_USAGE, f"may not be used for {', '.join(lacking)} (extKeyUsage)")
