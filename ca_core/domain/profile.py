"""Profiles as data: what a certificate of one kind may contain and what it takes to get one.

Built only by the pack loader, from TOML. An object that exists is already legal: the constructors refuse nonsense.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.errors import ConfigurationError

LINTERS = frozenset({"pkix", "etsi", "cabf-serverauth", "cabf-smime"})
COUNTS = frozenset({"working-days", "working-hours", "hours"})

_OID = re.compile(r"(0|1)\.([0-9]|[1-3][0-9])(\.(0|[1-9][0-9]*))+|2(\.(0|[1-9][0-9]*))+")
_ALPHABET = {
    "utf8": re.compile(r"[^\x00]*"),
    # X.680 §41.4
    "printable": re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*"),
    "numeric": re.compile(r"[0-9 ]*"),
    "ia5": re.compile(r"[\x01-\x7f]*"),
}


def _refuse_unless(condition: bool, detail: str) -> None:
    if not condition:
        raise ConfigurationError(detail)


def _repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once."""
    return [name for name, times in Counter(names).items() if times > 1]


class SanType(StrEnum):
    """The kinds of GeneralName (RFC 5280 §4.2.1.6) that can be asked for."""

    DNS = "dns"
    IP = "ip"
    EMAIL = "email"
    URI = "uri"


class StringType(StrEnum):
    """The ASN.1 string type of an attribute value."""

    UTF8 = "utf8"
    PRINTABLE = "printable"
    NUMERIC = "numeric"
    IA5 = "ia5"


class SubjectClass(StrEnum):
    """Whom or what a certificate speaks for."""

    LEGAL_PERSON = "legal-person"
    """A legal entity together with a person who acts for it."""
    LEGAL_ENTITY = "legal-entity"
    """A legal entity without a person (automatic signature, seal)."""
    SOLE_TRADER = "sole-trader"
    NATURAL_PERSON = "natural-person"
    SERVICE = "service"
    """A server, client, mailbox or program."""
    AUTHORITY = "authority"
    """An authority or responder of our own; no application can ask for it."""


class Environment(StrEnum):
    """What an issuer or profile is for; the two must be equal (invariant 17)."""

    PRODUCTION = "production"
    DEMO = "demo"


class LintMode(StrEnum):
    """When the full external lint runs before a signature; the authority's own rules always do, and the daily re-check
    runs both over everything that was issued."""

    BLOCKING = "blocking"
    """On every certificate."""
    ACTIVATION = "activation"
    """On the first certificate of each combination of profile version, issuer, kind of key, attributes and extensions
    that a process signs."""


@dataclass(frozen=True, kw_only=True)
class RdnRule:
    """One attribute of the subject name."""

    name: str
    """Short name, as applications give it: ``CN``, ``INNLE``."""
    oid: str
    string_type: StringType
    required: bool = False
    min_size: int = 1
    max_size: int = 64
    """Characters (X.520 upper bounds)."""
    pattern: str | None = None
    """A regular expression that the whole value must match."""
    check: str | None = None
    """The name of a checksum rule that a plugin brings (``ca_identifier_rules``)."""
    fixed: str | None = None
    """The one value it may have; the applicant does not give it."""
    label: Mapping[str, str] = field(default_factory=dict)
    """What people read, by language code."""

    def __post_init__(self) -> None:
        _refuse_unless(_OID.fullmatch(self.oid) is not None, f"oid: {self.oid!r} is not an object identifier")
        _refuse_unless(1 <= self.min_size <= self.max_size, "min_size: it is at least 1 and not more than max_size")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except (re.error, OverflowError, RecursionError) as problem:
                raise ConfigurationError(f"pattern: not a regular expression ({problem})") from None
        _refuse_unless(
            self.fixed is None or self.accepts_form(self.fixed),
            "fixed: the value does not fit the attribute's own size, type and pattern",
        )

    def accepts_form(self, value: str) -> bool:
        """Size, alphabet and pattern; the checksum is asked of its plugin."""
        if not self.min_size <= len(value) <= self.max_size:
            return False
        if _ALPHABET[self.string_type].fullmatch(value) is None:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, kw_only=True)
class ExtensionRule:
    """One extension, in the order in which it is written.

    ``kind`` names an encoder in ``ca_core.x509.extensions``; ``parameters`` is what that encoder needs. The kind
    ``asn1`` builds any value from data (``ca_core.x509.asn1_value``), so that a pack needs no code.
    """

    kind: str
    critical: bool = False
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EvidenceRule:
    """One document that is asked for, and what makes it unnecessary."""

    kind: str
    """Stable name of the document type: ``passport``, ``application-form``."""
    required: bool = True
    waived_by: tuple[str, ...] = ()
    """Names of register or identifier checks; when one of them confirmed, the document need not be uploaded."""
    reusable: timedelta | None = None
    """How long an accepted document on file still counts for a replacement."""
    label: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of certificate, one version of it."""

    pack: str
    name: str
    version: str
    digest: bytes
    """SHA-256 over the canonical form of the pack's files that define it; the intent records it (invariant 3)."""
    environment: Environment
    subject_class: SubjectClass
    subject: tuple[RdnRule, ...]
    extensions: tuple[ExtensionRule, ...]
    algorithms: frozenset[KeyAlgorithm]
    validity: timedelta
    backdate: timedelta = timedelta(0)
    approvals: int = 1
    """How many different reviewers have to approve: 1 or 2."""
    evidence: tuple[EvidenceRule, ...] = ()
    checks: tuple[str, ...] = ()
    """Names of the counterparty and register checks to run at submission."""
    identification: Mapping[str, int] = field(default_factory=dict)
    """Identification methods that are allowed, and the value each is encoded as."""
    san_types: frozenset[str] = frozenset()
    """General-name types an applicant may ask for: ``dns``, ``ip``, ``email``, ``uri``."""
    lint: LintMode = LintMode.BLOCKING
    linters: tuple[str, ...] = ("pkix",)
    """External linter sets: ``pkix``, ``etsi``, ``cabf-serverauth``, ``cabf-smime``."""
    valid_from: date | None = None
    valid_until: date | None = None
    label: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, names in (
            ("subject", [rule.name for rule in self.subject]),
            ("extensions", [str(rule.parameters.get("oid", rule.kind)) for rule in self.extensions]),
            ("evidence", [rule.kind for rule in self.evidence]),
        ):
            # RFC 5280 §4.2: at most one instance of an extension.
            _refuse_unless(not (twice := _repeated(names)), f"{key}: {', '.join(twice)} is listed twice")
        _refuse_unless(bool(self.algorithms), "algorithms: name at least one")
        _refuse_unless(self.validity > timedelta(0), "validity: it has to be longer than nothing")
        _refuse_unless(timedelta(0) <= self.backdate < self.validity, "backdate: it is shorter than the validity")
        _refuse_unless(self.approvals in (1, 2), "approvals: 1 or 2")
        _refuse_unless(self.san_types <= set(SanType), f"san_types: each is one of {', '.join(sorted(SanType))}")
        _refuse_unless(set(self.linters) <= LINTERS, f"linters: each is one of {', '.join(sorted(LINTERS))}")
        _refuse_unless(
            self.valid_from is None or self.valid_until is None or self.valid_from <= self.valid_until,
            "valid_until: it lies before valid_from",
        )

    @property
    def key(self) -> str:
        """How applications name it: ``pack/name``."""
        return f"{self.pack}/{self.name}"

    def active_on(self, day: date) -> bool:
        """Whether this version may be used on that day (both ends inclusive)."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


class Pinned(Protocol):
    """What holds to one version of a profile whatever comes later: an application, a certificate."""

    @property
    def profile(self) -> str: ...
    @property
    def profile_version(self) -> str: ...
    @property
    def profile_digest(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class ServiceLevel:
    """The time the authority gives itself, counted by the pack's calendar."""

    decide: timedelta
    """Working time from submission to decision."""
    revoke: timedelta
    """Clock time from a request to the revocation being published."""

    def __post_init__(self) -> None:
        _refuse_unless(self.decide > timedelta(0), "decide: it has to be longer than nothing")
        _refuse_unless(self.revoke > timedelta(0), "revoke: it has to be longer than nothing")


@dataclass(frozen=True, kw_only=True)
class CalendarRule:
    """How working time is counted. Holidays come from the ``holidays`` package by country code."""

    country: str | None
    timezone: str
    """IANA name."""
    day_starts: int = 9
    """First working hour, 0..23, local time."""
    day_ends: int = 18
    """Hour at which the working day ends."""
    counts: str = "working-days"
    """``working-days`` (same clock time n working days later), ``working-hours`` or ``hours``."""
    extra_holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        _refuse_unless(
            0 <= self.day_starts < self.day_ends <= 24, "day_ends: the working day ends after it starts, by 24"
        )
        _refuse_unless(self.counts in COUNTS, f"counts: one of {', '.join(sorted(COUNTS))}")
        _refuse_unless(
            not set(self.extra_holidays) & set(self.extra_workdays),
            "extra_workdays: a day is in extra_holidays too",
        )
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):  # not known, not a name, not a file
            raise ConfigurationError(f"timezone: {self.timezone!r} is not a time zone name") from None


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A jurisdiction's or organisation's rules: profiles, evidence, calendar and service level."""

    name: str
    version: str
    digest: bytes
    service_level: ServiceLevel
    calendar: CalendarRule
    profiles: tuple[Profile, ...]
    retention: timedelta | None = None
    """How long documents are kept after the certificate ended, or, where none was issued, after the application was
    made; None for ever."""
    timestamp_policies: tuple[str, ...] = ()
    """OIDs of the policies that time-stamp tokens may state, the default first."""
    refusal_reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Reasons for refusing a document: code to text by language."""
    identification_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Identification methods of the profiles: name to text by language."""
    label: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _refuse_unless(
            self.retention is None or self.retention > timedelta(0), "retention: it has to be longer than nothing"
        )
        for policy in self.timestamp_policies:
            _refuse_unless(_OID.fullmatch(policy) is not None, f"policies: {policy!r} is not an object identifier")
