"""What the engine finds wrong, in our words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathValidationError,
    RevokedError,
)

from ca_core.domain.path_validation import Reason


class Failure(Exception):
    """Why a path does not hold; it ends one attempt, and nobody outside of this package sees it."""

    def __init__(
        self,
        reason: Reason,
        words: str,
        *,
        position: int = 0,
        chain: Sequence[x509.Certificate] = (),
        revoked: Revoked | None = None,
    ) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        """Follows the certificate's name: ``ended on …``."""
        self.position = position
        """Place in the chain, 0 is the certificate in question."""
        self.chain = chain
        """The path that does not hold, or as far as the search came."""
        self.revoked = revoked


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """Since when and why."""

    since: datetime | None
    reason: str


HOLD = "certificateHold"
_SENTENCES = (
    # What the release that pyproject.toml pins says of the rules that have no class of their own in its errors.
    ("could not be verified", Reason.BAD_SIGNATURE, "has a signature that its issuer did not make"),
    ("signature parameters", Reason.BAD_SIGNATURE, "is signed with parameters that its issuer's key does not allow"),
    ("issuer name could not be matched", Reason.NAME_CHAINING, "names another issuer than the one above it"),
    ("is not a CA", Reason.NOT_AN_AUTHORITY, "is no authority, and a certificate below it is signed with its key"),
    ("maximum path length", Reason.PATH_LENGTH, "has more authorities below it than an authority above it allows"),
    ("not allowed to sign certificates", Reason.KEY_USAGE, "may not sign certificates (keyUsage)"),
    ("permitted namespace", Reason.NAME_CONSTRAINTS, "has a name that an authority above it may not give"),
    ("excluded from the", Reason.NAME_CONSTRAINTS, "has a name that an authority above it may not give"),
    ("policy graph", Reason.LIMIT_EXCEEDED, "has more certificate policies than are followed"),
    ("set of policies", Reason.CERTIFICATE_POLICY, "is under no certificate policy that is accepted"),
    ("any_policy", Reason.CERTIFICATE_POLICY, "maps a certificate policy to or from anyPolicy"),
    ("policy mapping", Reason.CERTIFICATE_POLICY, "maps a certificate policy to or from anyPolicy"),
    ("critical extension", Reason.CRITICAL_EXTENSION, "has a critical extension that is not understood"),
)


def failure_of(error: PathValidationError, position: int) -> Failure:
    """The same for our readers."""
    if isinstance(error, RevokedError):
        return revoked_failure(label_of(error.reason.native), error.revocation_dt, position)
    if isinstance(error, ExpiredError):
        return Failure(Reason.EXPIRED, f"ended on {_day(error.expired_dt)}", position=position)
    if isinstance(error, NotYetValidError):
        return Failure(Reason.NOT_YET_VALID, f"is valid from {_day(error.valid_from)}", position=position)
    text = error.failure_msg
    if isinstance(error, DisallowedAlgorithmError):
        _, _, why = text.partition("Reason: ")
        return Failure(Reason.WEAK_ALGORITHM, f"is signed too weakly: {why.rstrip('.')}", position=position)
    for part, reason, words in _SENTENCES:
        if part in text:
            return Failure(reason, words, position=position)
    return Failure(Reason.MALFORMED, "breaks a rule of RFC 5280", position=position)


def revoked_failure(reason: str, since: datetime | None, position: int) -> Failure:
    """Revoked, or on hold."""
    held = reason == HOLD
    when = "" if since is None else f" since {_day(since)}"
    return Failure(
        Reason.ON_HOLD if held else Reason.REVOKED,
        f"is {'on hold' if held else f'revoked ({reason})'}{when}",
        position=position,
        revoked=Revoked(since=since, reason=reason),
    )


def label_of(reason: str) -> str:
    """A CRLReason as RFC 5280 §5.3.1 writes it: ``keyCompromise``."""
    return _LABELS.get(reason, "unspecified")


_LABELS = {
    "key_compromise": "keyCompromise",
    "ca_compromise": "cACompromise",
    "affiliation_changed": "affiliationChanged",
    "superseded": "superseded",
    "cessation_of_operation": "cessationOfOperation",
    "certificate_hold": HOLD,
    "privilege_withdrawn": "privilegeWithdrawn",
    "aa_compromise": "aACompromise",
}


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
