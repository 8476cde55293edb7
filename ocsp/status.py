"""What the authority knows about one serial number, as a relying party may know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ca_core.domain.certificate import Certificate, CertificateState, CertificateStatus, RevocationReason


@dataclass(frozen=True, kw_only=True)
class Status:
    """Good, revoked (or on hold), or unknown."""

    status: Literal["good", "revoked", "unknown"]
    reason: RevocationReason | None = None
    revoked_at: datetime | None = None


GOOD = Status(status="good")
UNKNOWN = Status(status="unknown")
"""Of a serial that its issuer, which is ours, never used."""
NOT_OURS = Status(status="unknown")
"""Of whatever an issuer issued that is not ours."""


def status_of(certificate: Certificate | CertificateStatus | None) -> Status:
    """Good only for what was issued (invariant 11).

    An intent is not a certificate yet, so it is as unknown as a serial that was never used; an abandoned one may
    exist, so it is revoked."""
    if certificate is None or certificate.state is CertificateState.INTENT:
        return UNKNOWN
    if certificate.state is CertificateState.ISSUED:
        return GOOD
    return Status(
        status="revoked", reason=certificate.reason, revoked_at=certificate.revoked_at or certificate.created_at
    )
