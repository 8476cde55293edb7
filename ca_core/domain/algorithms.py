"""Key and signature algorithms that the authority knows by name."""

from __future__ import annotations

from enum import StrEnum


class KeyAlgorithm(StrEnum):
    """A public-key algorithm with its size or curve."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    EC_P521 = "ec-p521"
    ED25519 = "ed25519"
    ED448 = "ed448"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"

    @property
    def is_rsa(self) -> bool:
        return self.value.startswith("rsa-")

    @property
    def is_ec(self) -> bool:
        return self.value.startswith("ec-")


class SignatureAlgorithm(StrEnum):
    """A signature algorithm with its digest; the key it needs follows from it but for RSA and EC sizes."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    RSA_PKCS1_SHA384 = "rsa-pkcs1-sha384"
    RSA_PKCS1_SHA512 = "rsa-pkcs1-sha512"
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    RSA_PSS_SHA384 = "rsa-pss-sha384"
    RSA_PSS_SHA512 = "rsa-pss-sha512"
    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA384 = "ecdsa-sha384"
    ECDSA_SHA512 = "ecdsa-sha512"
    ED25519 = "ed25519"
    ED448 = "ed448"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"


DEFAULT_SIGNATURE: dict[KeyAlgorithm, SignatureAlgorithm] = {
    KeyAlgorithm.RSA_2048: SignatureAlgorithm.RSA_PKCS1_SHA256,
    KeyAlgorithm.RSA_3072: SignatureAlgorithm.RSA_PKCS1_SHA256,
    KeyAlgorithm.RSA_4096: SignatureAlgorithm.RSA_PKCS1_SHA256,
    KeyAlgorithm.EC_P256: SignatureAlgorithm.ECDSA_SHA256,
    KeyAlgorithm.EC_P384: SignatureAlgorithm.ECDSA_SHA384,
    KeyAlgorithm.EC_P521: SignatureAlgorithm.ECDSA_SHA512,
    KeyAlgorithm.ED25519: SignatureAlgorithm.ED25519,
    KeyAlgorithm.ED448: SignatureAlgorithm.ED448,
    KeyAlgorithm.ML_DSA_44: SignatureAlgorithm.ML_DSA_44,
    KeyAlgorithm.ML_DSA_65: SignatureAlgorithm.ML_DSA_65,
    KeyAlgorithm.ML_DSA_87: SignatureAlgorithm.ML_DSA_87,
}
"""The signature a key makes unless its owner chose another."""
