"""What an account may look like, and how long wrong passwords lock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from ca_core.domain.access import PRIVILEGED, SEES_EVERY_CENTRE, Role
from ca_core.domain.account import LANGUAGES, Account, LogInFailures
from ca_core.domain.errors import InvalidInput

PASSWORD_MIN, PASSWORD_MAX = 12, 200
"""Characters."""


@dataclass(frozen=True, kw_only=True)
class FailureLimit:
    """How many wrong passwords or codes lock, and for how long."""

    failures: int
    within: timedelta
    """After that long counting begins anew."""
    lock: timedelta
    longest: timedelta


HERE = FailureLimit(failures=10, within=timedelta(days=1), lock=timedelta(minutes=15), longest=timedelta(hours=1))
"""For one account from one source."""
ANYWHERE = FailureLimit(
    failures=100, within=timedelta(hours=1), lock=timedelta(minutes=1), longest=timedelta(minutes=1)
)
"""For one account from all sources: then unknown ones have one attempt a minute among them."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 5321 §4.1.2, without quoted strings and address literals.
_EMAIL = re.compile(rf"(?P<local>{_LOCAL})@{_LABEL}(?:\.{_LABEL})+")


def checked_email(email: str) -> str:
    """The address in lower case; InvalidInput when no mail system would take it."""
    cleaned = email.strip()
    match = _EMAIL.fullmatch(cleaned) if len(cleaned) <= 254 else None
    if match is None or len(match["local"]) > 64:
        raise _wrong(
            "email", "this is not an e-mail address; write one like name@example.org, other alphabets' domains as xn--…"
        )
    return cleaned.lower()


def checked_name(name: str) -> str:
    """The name without outer white space: 1 to 200 printable characters."""
    cleaned = name.strip()
    if not 0 < len(cleaned) <= 200 or not cleaned.isprintable():
        raise _wrong("name", "the name has 1 to 200 printable characters")
    return cleaned


def checked_language(language: str) -> str:
    if language not in LANGUAGES:
        raise _wrong("language", f"the language is one of {', '.join(LANGUAGES)}")
    return language


def checked_password(password: str, *, email: str, field: str = "password") -> str:
    """Length decides (NIST SP 800-63B §5.1.1.2); InvalidInput names ``field``."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise _wrong(field, f"the password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    if password.casefold().strip() in (email.casefold(), email.casefold().partition("@")[0]):
        raise _wrong(field, "the password must not be the e-mail address")
    return password


def checked_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """At least one role, none that only the machine's owner has, and no operator who sees other centres too."""
    granted = frozenset(roles)
    if not granted:
        raise _wrong("roles", "an account needs at least one role")
    if Role.SYSTEM in granted:
        raise _wrong("roles", "the role 'system' belongs to the machine's owner and is not given to accounts")
    if Role.OPERATOR in granted and granted & SEES_EVERY_CENTRE:
        raise _wrong(
            "roles", "an operator works in his own centres; for a role that sees every centre make another account"
        )
    return granted


def checked_centres(centres: Iterable[UUID], *, known: Iterable[UUID]) -> frozenset[UUID]:
    """The service centres, all of which have to exist."""
    named = frozenset(centres)
    if not named <= frozenset(known):
        raise _wrong("centres", "there is no such service centre")
    return named


def gains_privilege(account: Account, roles: frozenset[Role], centres: frozenset[UUID]) -> bool:
    """Whether the account could then approve, issue, revoke or make accounts where it could not before."""
    return bool((roles - account.roles) & PRIVILEGED) or (Role.OPERATOR in roles and not centres <= account.centres)


def is_locked(count: LogInFailures, now: datetime) -> bool:
    return count.locked_until is not None and count.locked_until > now


def after_failure(count: LogInFailures, now: datetime, limit: FailureLimit) -> LogInFailures:
    """One more wrong attempt: from the limit on each one locks, twice as long as the one before up to the longest."""
    if now - count.since >= limit.within:
        count = replace(count, failures=0, since=now)
    failures = count.failures + 1
    if failures < limit.failures:
        return replace(count, failures=failures, locked_until=None)
    lock = min(limit.lock * (1 << min(failures - limit.failures, 16)), limit.longest)
    return replace(count, failures=failures, locked_until=now + lock)


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={field: sentence})
