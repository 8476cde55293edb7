"""Path validation (RFC 5280 §6): what is asked, how far to go, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class RevocationChecking(StrEnum):
    """What is made of a certificate of which nobody says whether it is revoked."""

    HARD = "hard"
    """It is not valid."""
    SOFT = "soft"
    """It is valid, and the verdict says what is not known. What is known to be revoked is not valid."""
    NONE = "none"
    """Nobody is asked."""


class Reason(StrEnum):
    """Why a certificate is valid or not; stable, scripts may match it."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    ON_HOLD = "on-hold"
    NEVER_ISSUED = "never-issued"
    """It bears the name and the signature of an authority of our own, which has no record of it."""
    STATUS_UNKNOWN = "status-unknown"
    STATUS_STALE = "status-stale"
    NO_PATH = "no-path"
    BAD_SIGNATURE = "bad-signature"
    NAME_CHAINING = "name-chaining"
    NOT_AN_AUTHORITY = "not-an-authority"
    PATH_LENGTH = "path-length"
    KEY_USAGE = "key-usage"
    NAME_CONSTRAINTS = "name-constraints"
    CERTIFICATE_POLICY = "certificate-policy"
    CRITICAL_EXTENSION = "critical-extension"
    WEAK_ALGORITHM = "weak-algorithm"
    LIMIT_EXCEEDED = "limit-exceeded"
    MALFORMED = "malformed"
    """A certificate in the chain, or what it refers to, says something that cannot be understood."""


@dataclass(frozen=True, kw_only=True)
class NameConstraint:
    """A subtree of names (RFC 5280 §4.2.1.10)."""

    kind: str
    """``dns``, ``email`` or ``uri``."""
    base: str


@dataclass(frozen=True, kw_only=True)
class ValidationPolicy:
    """What whoever relies on a certificate demands of it."""

    revocation: RevocationChecking = RevocationChecking.HARD
    freshness: timedelta | None = None
    """How old thisUpdate of revocation data may be; None: as old as its nextUpdate lets it become."""
    hold_is_revoked: bool = True
    certificate_policies: frozenset[str] = frozenset()
    """OIDs of which one has to hold (user-initial-policy-set); empty is any."""
    explicit_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False
    permitted: tuple[NameConstraint, ...] = ()
    """Empty permits every name; otherwise of each kind that is named here only what is named."""
    excluded: tuple[NameConstraint, ...] = ()
    key_usage: frozenset[str] = frozenset()
    """Usages that the certificate itself must have, named as RFC 5280 does: ``digitalSignature``."""
    extended_key_usage: frozenset[str] = frozenset()
    """OIDs of purposes that it must have."""


@dataclass(frozen=True, kw_only=True)
class ValidationLimits:
    """How much work one question may be."""

    chain: int = 12
    """Certificates of a chain, with its anchor."""
    candidates: int = 2_000
    """Certificates that may come with the one in question."""
    steps: int = 10_000
    """Issuers that are looked at while a path is built."""
    paths: int = 32
    """Complete paths that are tried."""
    seconds: float = 10.0
    fetches: int = 16
    """Addresses that are asked for one verdict."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be validated, and how."""

    certificate: bytes
    """DER or PEM."""
    intermediates: tuple[bytes, ...] = ()
    """DER or PEM, one each, in any order; none of them is trusted."""
    lists: tuple[bytes, ...] = ()
    """Certificate revocation lists that came with it (DER)."""
    responses: tuple[bytes, ...] = ()
    """OCSP responses that came with it (DER)."""
    at: datetime | None = None
    """The moment it has to be valid at; None is the present."""
    policy: ValidationPolicy = field(default_factory=ValidationPolicy)


class OwnState(StrEnum):
    """What our own store says of a certificate."""

    GOOD = "good"
    HELD = "held"
    REVOKED = "revoked"
    NEVER_ISSUED = "never-issued"


@dataclass(frozen=True, kw_only=True)
class OwnStatus:
    """Of one certificate, read from our own store."""

    state: OwnState
    since: datetime | None = None
    """When it was revoked or held, or since when its key is suspect if that is earlier."""
    reason: str | None = None
    """CRLReason by its name."""


class EvidenceKind(StrEnum):
    STORE = "store"
    """Our own store; read anew for every verdict."""
    CRL = "crl"
    OCSP = "ocsp"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What says of one certificate of the chain whether it is revoked."""

    certificate: int
    """Place in the chain, 0 is the one in question."""
    kind: EvidenceKind
    number: int | None = None
    """Of a list."""
    this_update: datetime
    next_update: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChainLink:
    """One certificate of the chain."""

    subject: str
    serial: str
    """Hexadecimal."""
    sha256: bytes
    not_before: datetime
    not_after: datetime
    der: bytes


@dataclass(frozen=True, kw_only=True)
class PathVerdict:
    """Whether a certificate is valid at a moment, and all that this rests on."""

    valid: bool
    reason: Reason
    sentence: str
    certificate: int
    """Place in the chain of the one that it fails at; 0 is the one in question, also where it is valid."""
    chain: tuple[ChainLink, ...]
    """From the one in question up to the anchor; without an anchor as far as it goes."""
    moment: datetime
    evidence: tuple[Evidence, ...] = ()
    unknown: tuple[str, ...] = ()
    """Where revocation is checked softly, what could not be found out."""
    policies: tuple[str, ...] = ()
    """OIDs of certificate policies that hold along the chain; ``2.5.29.32.0`` is any."""
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    reusable_until: datetime | None = None
    """Until when the same question has the same answer; None when it has to be asked anew each time, since our own
    store is part of the evidence or there is no valid chain."""
