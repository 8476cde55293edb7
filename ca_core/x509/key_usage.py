"""Key usages and extended key purposes by name, and which usages a kind of key can have."""

from __future__ import annotations

from ca_core.domain.algorithms import KeyAlgorithm

USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""By bit number (RFC 5280 §4.2.1.3)."""

_SIGNING = frozenset({"digitalSignature", "nonRepudiation", "keyCertSign", "cRLSign"})


def usages_of(key: KeyAlgorithm) -> frozenset[str]:
    """The usages a key of that kind can have.

    RSA never agrees on keys (RFC 4055 §1.2), EC never enciphers (RFC 8813 §3), EdDSA and ML-DSA only sign
    (RFC 8410 §5 as updated by RFC 9295, RFC 9881 §5).
    """
    if key.is_rsa:
        return _SIGNING | {"keyEncipherment", "dataEncipherment"}
    if key.is_ec:
        return _SIGNING | {"keyAgreement", "encipherOnly", "decipherOnly"}
    return _SIGNING


PURPOSES = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "documentSigning": "1.3.6.1.5.5.7.3.36",
}
"""RFC 5280 §4.2.1.12, RFC 9336. Others are given as object identifiers."""
OCSP_SIGNING = PURPOSES["OCSPSigning"]
TIME_STAMPING = PURPOSES["timeStamping"]
ANY_PURPOSE = "2.5.29.37.0"


def canonical(name: str, known: tuple[str, ...] | dict[str, str]) -> str | None:
    """The spelling of the RFC for a name that differs from it in case, hyphens or underscores only."""
    plain = _plain(name)
    return next((candidate for candidate in known if _plain(candidate) == plain), None)


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
