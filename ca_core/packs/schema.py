"""The shape of a pack's TOML files. What the values may mean is refused by the domain's own constructors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.profile import Environment, LintMode, StringType, SubjectClass


def _needs_english(texts: dict[str, str]) -> dict[str, str]:
    if "en" not in texts:
        raise ValueError("an English text ('en') is needed, since it stands in for languages that are missing")
    return texts


Name = Annotated[str, Field(pattern=r"\A[a-z0-9][a-z0-9.-]{0,63}\z")]
AttributeName = Annotated[str, Field(pattern=r"\A[A-Za-z][A-Za-z0-9]{0,31}\z")]
Version = Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9.-]{0,31}\z")]
Language = Annotated[str, Field(pattern=r"\A[a-z]{2,3}\z")]
Texts = Annotated[dict[Language, Annotated[str, Field(min_length=1, max_length=2000)]], AfterValidator(_needs_english)]
Size = Annotated[int, Field(ge=1, le=100_000)]
Days = Annotated[int, Field(ge=0, le=36_525)]
Lenient = Field(strict=False)
"""Enumerations come as strings."""


class Table(BaseModel):
    """A TOML table: unknown keys are errors, and nothing is converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Duration(Table):
    """``{ days = 3 }``, ``{ hours = 12 }``, ``{ minutes = 5 }``, or a sum of them."""

    days: Days = 0
    hours: Annotated[int, Field(ge=0, le=100_000)] = 0
    minutes: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @property
    def timedelta(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


class ServiceLevelTable(Table):
    decide: Duration
    revoke: Duration


class RetentionTable(Table):
    documents: Duration


class CalendarTable(Table):
    country: Annotated[str, Field(pattern=r"\A[A-Z]{2}(-[A-Z0-9]{1,3})?\z")] | None = None
    timezone: str
    day_starts: int = 9
    day_ends: int = 18
    counts: Literal["working-days", "working-hours", "hours"] = "working-days"
    extra_holidays: list[date] = []
    extra_workdays: list[date] = []


class AttributeTable(Table):
    """One kind of subject attribute, as every profile of the pack knows it."""

    oid: str
    type: Annotated[StringType, Lenient]
    min_size: Size = 1
    max_size: Size = 64
    pattern: str | None = None
    check: str | None = None
    label: Texts


class TimestampsTable(Table):
    policies: Annotated[list[str], Field(min_length=1)]


class EvidenceType(Table):
    label: Texts


class IdentificationMethod(Table):
    value: Annotated[int, Field(ge=0, le=255)]
    label: Texts


class PackFile(Table):
    """``pack.toml``."""

    name: Name
    version: Version
    requires: list[Name] = []
    label: Texts
    service_level: ServiceLevelTable
    retention: RetentionTable | None = None
    timestamps: TimestampsTable | None = None
    calendar: CalendarTable
    attributes: dict[AttributeName, AttributeTable]
    evidence: dict[Name, EvidenceType] = {}
    identification: dict[Name, IdentificationMethod] = {}
    refusal_reasons: dict[Name, Texts] = {}


class SubjectTable(Table):
    """One attribute of a profile's subject: a name of the pack's catalogue, and what differs from there."""

    name: str
    required: bool = False
    min_size: Size | None = None
    max_size: Size | None = None
    pattern: str | None = None
    check: str | None = None
    fixed: str | None = None


class ExtensionTable(Table):
    """One extension; every other key is a parameter of its kind."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    kind: str
    critical: bool = False


class EvidenceTable(Table):
    kind: str
    required: bool = True
    waived_by: list[Name] = []
    reusable: Duration | None = None


class ProfileFile(Table):
    """``profiles/*.toml``: one version of one profile."""

    name: Name
    version: Version
    label: Texts
    environment: Annotated[Environment, Lenient] = Environment.PRODUCTION
    subject_class: Annotated[SubjectClass, Lenient]
    algorithms: Annotated[list[Annotated[KeyAlgorithm, Lenient]], Field(min_length=1)]
    validity: Duration
    backdate: Duration = Duration()
    approvals: int = 1
    checks: list[Name] = []
    identification: list[str] = []
    san_types: list[str] = []
    lint: Annotated[LintMode, Lenient] = LintMode.BLOCKING
    linters: list[str] = ["pkix"]
    valid_from: date | None = None
    valid_until: date | None = None
    subject: Annotated[list[SubjectTable], Field(min_length=1)]
    extensions: list[ExtensionTable]
    evidence: list[EvidenceTable] = []

    @model_validator(mode="after")
    def _evidence_only_for_people(self) -> ProfileFile:
        if self.subject_class is SubjectClass.AUTHORITY and (self.evidence or self.checks or self.identification):
            raise ValueError("an authority's own certificate is not applied for: no evidence, checks, identification")
        return self
