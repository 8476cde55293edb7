"""The one error tree. Faces translate ``code`` and the class at the edge; nothing else leaves a service.

Each branch under :class:`CaError` fixes an HTTP status and an exit code (``docs/errors.md``); each leaf fixes a
stable ``code`` that scripts may match. ``detail`` is one sentence for people, free of secrets and personal data;
``fields`` names the offending inputs so that a form can show the sentence beside the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ca_core.domain.pki_failure import PkiFailure


class CaError(Exception):
    """Root of every error raised on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields: Mapping[str, str] = dict(fields or {})


class InvalidInput(CaError):
    """The request itself is wrong: 422, exit 2."""

    code = "invalid-input"


class PreconditionRequired(InvalidInput):
    """A change that does not name the version it was decided on: 428."""

    code = "precondition-required"


class MalformedDer(InvalidInput):
    """Bytes that are not the DER structure they should be."""

    code = "malformed-der"


class NotPermitted(CaError):
    """The caller may not do this, or somebody else has to approve first: 403, exit 5."""

    code = "not-permitted"


class NotAuthenticated(NotPermitted):
    """Nobody is logged in, or the credential is wrong: 401, exit 5."""

    code = "not-authenticated"


class ApprovalNeeded(NotPermitted):
    """One more person has to approve before this can go on."""

    code = "approval-needed"


class SelfApproval(NotPermitted):
    """Who edited or requested does not approve (invariant 12)."""

    code = "self-approval"


class NotFound(CaError):
    """No such object, or none that the caller may see; the two read the same: 404, exit 4."""

    code = "not-found"


class Conflict(CaError):
    """The object is in another state than the caller thought: 409, exit 6."""

    code = "conflict"


class StaleVersion(Conflict):
    """Somebody changed the object since the caller read it: reload and decide again."""

    code = "stale-version"


class ClaimedByAnother(Conflict):
    """Another operator holds the application."""

    code = "claimed"


class WrongState(Conflict):
    """The state machine has no such step from here."""

    code = "wrong-state"


class AddressUnconfirmed(Conflict):
    """Mail to the account's address has not been shown to arrive."""

    code = "address-unconfirmed"


class Duplicate(Conflict):
    """The same thing exists already."""

    code = "duplicate"


class IdempotencyMismatch(Conflict):
    """The same idempotency key came with another request or API token."""

    code = "idempotency-mismatch"


class Refused(CaError):
    """A verdict, not a mistake: the input was understood and the answer is no: 422, exit 3."""

    code = "refused"


class WeakKey(Refused):
    """The public key is one the authority must not certify (invariant 5)."""

    code = "weak-key"


class PossessionNotProven(Refused):
    """The request is not signed by the key it carries."""

    code = "possession-not-proven"


class ProfileViolation(Refused):
    """The request asks for what its profile does not allow."""

    code = "profile-violation"


class LintFailed(Refused):
    """A lint found something in the bytes to be signed (invariant 2)."""

    code = "lint-failed"


class DocumentRejected(Refused):
    """An upload that is not a clean document of an accepted type and size."""

    code = "document-rejected"


class BadSignature(Refused):
    """A signature does not verify."""

    code = "bad-signature"


class TimestampRefused(Refused):
    """A request that the time-stamping authority issues no token for (RFC 3161 §2.4.2)."""

    code = "timestamp-refused"

    def __init__(self, detail: str, *, failure: PkiFailure = PkiFailure.SYSTEM_FAILURE) -> None:
        super().__init__(detail)
        self.failure = failure
        """What the answer says of it."""


class AuditBroken(Refused):
    """The audit chain does not verify, or a row contradicts it: something was changed, removed or added
    from outside."""

    code = "audit-broken"


class ConfigurationError(CaError):
    """The installation is configured wrongly: 500 at the edge, exit 78, and a refusal to start."""

    code = "configuration"


class TryAgain(CaError):
    """A temporary condition, safe to repeat: 503 with Retry-After, exit 75."""

    code = "try-again"

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds after which a repeat makes sense."""


class KeyUnavailable(TryAgain):
    """The private key cannot be used now: token removed, wrong PIN, passphrase missing."""

    code = "key-unavailable"


class KeyMissing(KeyUnavailable):
    """The key store holds no key of that name: it was never made, or has to be restored from a backup: 503,
    exit 78."""

    code = "key-missing"


class KeyLocked(KeyUnavailable):
    """The passphrase or PIN that is configured does not open the key: 503, exit 78."""

    code = "key-locked"


class RateLimited(TryAgain):
    """Too many requests from one source: 429, exit 75."""

    code = "rate-limited"


class IntegrityAlarm(CaError):
    """An invariant does not hold inside the authority itself; the operation stopped: 500, exit 1."""

    code = "integrity-alarm"
