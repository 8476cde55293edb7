"""A certificate's life: intent, signature, hold, revocation; and who links to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Self
from uuid import UUID

from ca_core.domain.errors import WrongState
from ca_core.domain.identifiers import Serial


class CertificateState(StrEnum):
    INTENT = "intent"
    """Serial and to-be-signed bytes are on record; the key may be in use right now."""
    ISSUED = "issued"
    HELD = "held"
    REVOKED = "revoked"
    ABANDONED = "abandoned"
    """An intent whose outcome is not known, after a crash: it may exist, so it is revoked and never signed again."""


class RevocationReason(IntEnum):
    """CRLReason (RFC 5280 §5.3.1)."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    PRIVILEGE_WITHDRAWN = 9

    @property
    def label(self) -> str:
        """The name that RFC 5280 gives it: ``keyCompromise``."""
        return "certificateHold" if self is RevocationReason.CERTIFICATE_HOLD else FinalReason[self.name].value


class FinalReason(StrEnum):
    """The names of the reasons to revoke for good; a hold, which can be lifted, is none."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"

    @property
    def reason(self) -> RevocationReason:
        return RevocationReason[self.name]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One serial number of one issuer, and all that is known about it."""

    id: UUID
    issuer: UUID
    """The authority that signs."""
    serial: Serial
    state: CertificateState = CertificateState.INTENT
    profile: str
    profile_version: str
    profile_digest: bytes
    application: UUID | None
    """None for the authority's own certificates and for imports."""
    approval_digest: bytes | None
    """The snapshot that the approvers saw."""
    owner: UUID
    centre: UUID | None
    subject: str
    """RFC 4514 string, for display and search."""
    tbs: bytes
    """The linted to-be-signed bytes (invariants 2 and 3)."""
    tbs_sha256: bytes
    der: bytes | None = None
    sha256: bytes | None = None
    spki_sha256: bytes
    not_before: datetime
    not_after: datetime
    partition: int = 0
    """CRL partition, baked into the distribution point (invariant 9); 0 is the full list."""
    replaces: UUID | None = None
    created_at: datetime
    issued_at: datetime | None = None
    """None of imported ones: when somebody else signed is not known."""
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None
    held_by: UUID | None = None
    """Who put it on hold; a subscriber lifts only a hold of his own."""
    invalidity_date: datetime | None = None
    report_code_sha256: bytes | None = None
    """Digest of the code with which the subscriber can report the token lost without a log-in."""
    import_id: UUID | None = None
    """The import that brought it from another authority's software."""
    imported_status: str | None = None
    """The status that it came with (:class:`~ca_core.domain.importing.ImportedStatus`); None for our own."""
    version: int = 1

    @property
    def exists(self) -> bool:
        """Whether a signature is on record."""
        return self.der is not None

    def hold(self, *, at: datetime, by: UUID) -> Self:
        """Suspend: OCSP and CRL say revoked(certificateHold) until :meth:`unhold` or :meth:`revoke`.

        Of a held one only whose hold it is can change: from the owner's to somebody else's."""
        if self.state is CertificateState.HELD and self.held_by == self.owner != by:
            return replace(self, held_by=by)
        if self.state is not CertificateState.ISSUED:
            raise WrongState(f"certificate {self.serial} is {self.state.value}; only an issued one can be held")
        return replace(
            self,
            state=CertificateState.HELD,
            revoked_at=at,
            reason=RevocationReason.CERTIFICATE_HOLD,
            held_by=by,
        )

    def unhold(self) -> Self:
        if self.state is not CertificateState.HELD:
            raise WrongState(f"certificate {self.serial} is {self.state.value}, not on hold")
        return replace(
            self, state=CertificateState.ISSUED, revoked_at=None, reason=None, held_by=None, invalidity_date=None
        )

    def revoke(self, *, at: datetime, reason: RevocationReason, invalidity_date: datetime | None = None) -> Self:
        """Revoke for good. Of a revoked certificate only the reason may change, and only to keyCompromise
        (invariant 14); the moment of revocation stays."""
        if reason is RevocationReason.CERTIFICATE_HOLD:
            raise WrongState("use hold for certificateHold")
        if self.state is CertificateState.REVOKED:
            if reason is RevocationReason.KEY_COMPROMISE and self.reason is not reason:
                return replace(self, reason=reason, invalidity_date=invalidity_date)
            raise WrongState(f"certificate {self.serial} is revoked already; only keyCompromise may replace its reason")
        if self.state not in (CertificateState.ISSUED, CertificateState.HELD):
            raise WrongState(f"certificate {self.serial} is {self.state.value}; there is nothing to revoke")
        # RFC 5280 §5.3.1: a held certificate that is revoked keeps the date it was put on hold.
        since = self.revoked_at if self.state is CertificateState.HELD and self.revoked_at else at
        return replace(
            self,
            state=CertificateState.REVOKED,
            revoked_at=since,
            reason=reason,
            held_by=None,
            invalidity_date=invalidity_date,
        )

    def abandon(self, *, at: datetime) -> Self:
        """Give up an intent after a crash: revoked from now on, since a signature may exist."""
        if self.state is not CertificateState.INTENT:
            raise WrongState(f"certificate {self.serial} is {self.state.value}, not an open intent")
        return replace(
            self,
            state=CertificateState.ABANDONED,
            revoked_at=at,
            reason=RevocationReason.CESSATION_OF_OPERATION,
        )


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What whoever changed the status of a certificate said of it."""

    id: UUID
    certificate: UUID
    action: str
    """``held``, ``unheld`` or ``revoked``."""
    by: str
    """As the audit names the actor."""
    at: datetime
    words: str


@dataclass(frozen=True, kw_only=True)
class BlockedKey:
    """A key that is never certified again."""

    spki_sha256: bytes
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus:
    """Of a certificate what its status depends on, read for millions at a time."""

    id: UUID
    serial: Serial
    state: CertificateState
    reason: RevocationReason | None
    revoked_at: datetime | None
    created_at: datetime
    not_after: datetime
    version: int
