"""What a lint knows beside the bytes: who is going to sign them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ca_core.x509.certificate import SignedCertificate, read_issuer
from ca_core.x509.timestamp import TimestampRequest


@dataclass(frozen=True, kw_only=True)
class LintContext:
    """For certificates and CRLs."""

    issuer_certificate: bytes | None
    """DER of the certificate that the signing key belongs to; None for a self-signed certificate."""

    @cached_property
    def issuer(self) -> SignedCertificate | None:
        """The issuer's certificate, read."""
        return None if self.issuer_certificate is None else read_issuer(self.issuer_certificate)


@dataclass(frozen=True, kw_only=True)
class OcspLintContext:
    """For OCSP answers."""

    issuer_certificate: bytes
    """DER of the CA whose certificates are answered for."""
    responder_certificate: bytes | None
    """DER of the delegated responder's certificate; None when the CA's own key signs."""
    signature_algorithm: bytes
    """DER AlgorithmIdentifier; it stands outside of what is signed."""

    @cached_property
    def issuer(self) -> SignedCertificate:
        """The CA's certificate, read."""
        return read_issuer(self.issuer_certificate)

    @cached_property
    def responder(self) -> SignedCertificate:
        """The certificate of whoever signs, read."""
        return self.issuer if self.responder_certificate is None else read_issuer(self.responder_certificate)


@dataclass(frozen=True, kw_only=True)
class TimestampLintContext:
    """For time-stamp tokens."""

    request: TimestampRequest
    tsa_certificate: bytes
    """DER of the time-stamping authority's certificate."""
    digest: str
    """The one of messageDigest, as hashlib calls it."""
    signature_algorithm: bytes
    """DER AlgorithmIdentifier; it stands outside of what is signed."""

    @cached_property
    def tsa(self) -> SignedCertificate:
        """The certificate of whoever signs, read."""
        return read_issuer(self.tsa_certificate)
