"""What goes over the wire: request bodies and answers, and how domain objects become answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ca_core.domain.application import Application, CheckResult
from ca_core.domain.authority import Authority, PublishedCrl
from ca_core.domain.certificate import Certificate, FinalReason
from ca_core.domain.document import Document
from ca_core.domain.profile import Profile, SanType
from ca_core.services.application_view import ApplicationView
from ca_core.services.evidence import Requirement
from ca_core.services.replacement_reason import Circumstance

Text = Annotated[str, StringConstraints(max_length=1000)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GeneralName(Body):
    type: SanType
    value: Annotated[str, StringConstraints(min_length=1, max_length=253)]


class NewApplicationBody(Body):
    profile: Token = Field(description="`pack/name`, see /profiles", examples=["private/tls-server"])
    subject: dict[Token, Text] = Field(max_length=64, description="attribute name to value, by the profile's rules")
    subject_alternative_names: list[GeneralName] = Field(default=[], max_length=100)
    identification: Token | None = None
    centre: UUID | None = Field(default=None, description="service centre; staff may leave it out for their own")
    owner: UUID | None = Field(default=None, description="the subscriber's account, when staff apply for somebody")
    replaces: UUID | None = Field(default=None, description="an imported certificate that the new one is in place of")


class ApplicationChanges(Body):
    subject: dict[Token, Text] | None = Field(default=None, max_length=64)
    subject_alternative_names: list[GeneralName] | None = Field(default=None, max_length=100)
    identification: Token | None = None


class NoteBody(Body):
    note: Text = ""


class RejectBody(Body):
    note: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class ApprovalBody(Body):
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="the digest of the snapshot that the approver saw"
    )


class RefusalBody(Body):
    reason: Token = Field(description="a refusal reason of the pack")
    note: Text = ""


class RequestBody(Body):
    request: Annotated[str, StringConstraints(min_length=1, max_length=90_000)] = Field(
        description="PKCS #10 certification request, PEM"
    )


class GroundBody(Body):
    because: Annotated[str, StringConstraints(max_length=500)] = ""
    """Why, in words, for the record; staff must say."""

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, body: object) -> object:
        return {} if body is None else body


class RevocationBody(GroundBody):
    reason: FinalReason
    invalidity_date: AwareDatetime | None = None


class ReplacementBody(GroundBody):
    circumstance: Circumstance


class LossBody(Body):
    code: Annotated[str, StringConstraints(min_length=8, max_length=64)]


class Paging(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cursor: Annotated[str, StringConstraints(max_length=512)] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class ApplicationOut(BaseModel):
    id: UUID
    number: str
    owner: UUID
    centre: UUID
    profile: str
    profile_version: str
    subject: dict[str, str]
    subject_alternative_names: list[GeneralName]
    identification: str | None
    state: str
    note: str
    round: int
    approvals_required: int
    submitted_at: datetime | None
    due_at: datetime | None
    clock_stage: str
    claimed_by: UUID | None
    replaces: UUID | None
    circumstance: str | None
    certificate: UUID | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, application: Application) -> ApplicationOut:
        names = [GeneralName.model_construct(type=SanType(kind), value=value) for kind, value in application.san]
        fields = {name: getattr(application, name) for name in cls.model_fields if hasattr(application, name)}
        return cls.model_construct(
            **{**fields, "subject": dict(application.subject), "state": application.state.value},
            subject_alternative_names=names,
        )


class DocumentOut(BaseModel):
    id: UUID
    application: UUID
    kind: str
    filename: str
    media_type: str
    size: int
    pages: int
    sha256: str
    state: str
    reason: str | None
    note: str
    uploaded_at: datetime
    version: int

    @classmethod
    def of(cls, document: Document) -> DocumentOut:
        fields = {name: getattr(document, name) for name in cls.model_fields}
        return cls.model_construct(**{**fields, "sha256": document.sha256.hex(), "state": document.state.value})


class RequirementOut(BaseModel):
    kind: str
    label: dict[str, str]
    required: bool
    waived_by: str | None
    document: UUID | None

    @classmethod
    def of(cls, requirement: Requirement) -> RequirementOut:
        return cls(
            kind=requirement.kind,
            label=dict(requirement.label),
            required=requirement.required,
            waived_by=requirement.waived_by,
            document=requirement.document.id if requirement.document else None,
        )


class CheckOut(BaseModel):
    name: str
    mode: str
    verdict: str
    detail: str
    at: datetime

    @classmethod
    def of(cls, check: CheckResult) -> CheckOut:
        return cls(**{name: getattr(check, name) for name in cls.model_fields})


class ApplicationDetail(ApplicationOut):
    documents: list[DocumentOut]
    requirements: list[RequirementOut]
    checks: list[CheckOut]
    approvals: int

    @classmethod
    def of_view(cls, view: ApplicationView) -> ApplicationDetail:
        return cls.model_construct(
            **ApplicationOut.of(view.application).__dict__,
            documents=[DocumentOut.of(one) for one in view.documents],
            requirements=[RequirementOut.of(one) for one in view.requirements],
            checks=[CheckOut.of(one) for one in view.checks],
            approvals=view.approvals,
        )


class CertificateOut(BaseModel):
    id: UUID
    issuer: UUID
    serial: str
    state: str
    profile: str
    profile_version: str
    application: UUID | None
    owner: UUID
    subject: str
    sha256: str | None
    not_before: datetime
    not_after: datetime
    partition: int
    replaces: UUID | None
    issued_at: datetime | None
    revoked_at: datetime | None
    reason: str | None
    invalidity_date: datetime | None
    version: int

    @classmethod
    def of(cls, certificate: Certificate) -> CertificateOut:
        fields = {name: getattr(certificate, name) for name in cls.model_fields}
        return cls.model_construct(
            **{
                **fields,
                "serial": certificate.serial.hex,
                "state": certificate.state.value,
                "sha256": certificate.sha256.hex() if certificate.sha256 else None,
                "reason": certificate.reason.label if certificate.reason is not None else None,
            }
        )


class AcceptedOut(BaseModel):
    application: ApplicationOut
    report_code: str = Field(description="reports the token lost without a log-in; shown this once")


class ProfileOut(BaseModel):
    key: str
    version: str
    digest: str
    label: dict[str, str]
    subject_class: str
    subject: list[dict[str, str | int | bool | None]]
    algorithms: list[str]
    validity_days: int
    approvals: int
    evidence: list[str]
    identification: list[str]
    subject_alternative_names: list[str]

    @classmethod
    def of(cls, profile: Profile) -> ProfileOut:
        return cls(
            key=profile.key,
            version=profile.version,
            digest=profile.digest.hex(),
            label=dict(profile.label),
            subject_class=profile.subject_class.value,
            subject=[
                {
                    "name": r.name,
                    "required": r.required,
                    "min_size": r.min_size,
                    "max_size": r.max_size,
                    "check": r.check,
                }
                for r in profile.subject
                if r.fixed is None
            ],
            algorithms=sorted(profile.algorithms),
            validity_days=profile.validity.days,
            approvals=profile.approvals,
            evidence=[rule.kind for rule in profile.evidence],
            identification=list(profile.identification),
            subject_alternative_names=sorted(profile.san_types),
        )


class AuthorityOut(BaseModel):
    id: UUID
    name: str
    kind: str
    state: str
    environment: str
    key_identifier: str
    signature_algorithm: str
    partitions: int
    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, authority: Authority) -> AuthorityOut:
        fields = {name: getattr(authority, name) for name in cls.model_fields}
        return cls.model_construct(**{**fields, "key_identifier": authority.key_identifier.hex()})


class CrlOut(BaseModel):
    authority: UUID
    partition: int
    number: int
    base: int | None
    this_update: datetime
    next_update: datetime
    entries: int
    sha256: str

    @classmethod
    def of(cls, crl: PublishedCrl) -> CrlOut:
        fields = {name: getattr(crl, name) for name in cls.model_fields}
        return cls.model_construct(**{**fields, "sha256": crl.sha256.hex()})


def pairs(names: list[GeneralName]) -> tuple[tuple[str, str], ...]:
    return tuple((name.type.value, name.value) for name in names)
