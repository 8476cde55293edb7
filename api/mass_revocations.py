"""Mass revocations: preview, ask, approve; the worker carries them out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from api.authentication import caller
from api.blueprint import ById, blueprint as group, listing, render, render_list, services
from api.shapes import ApprovalBody, Body, Token
from ca_core.domain.certificate import FinalReason
from ca_core.domain.identifiers import Serial
from ca_core.domain.mass_revocation import MassRevocation, Selection
from ca_core.services.mass_revocation import Preview

blueprint = group("revocations", "Revocation of many certificates at once")

SerialText = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SelectionBody(Body):
    issuer: UUID | None = Field(default=None, description="only of this authority")
    profile: Token | None = Field(default=None, description="`pack/name`, or `imported`")
    valid_from: AwareDatetime | None = Field(default=None, description="notBefore at this moment or later")
    valid_before: AwareDatetime | None = Field(default=None, description="notBefore earlier than this")
    serials: list[SerialText] | None = Field(default=None, max_length=100_000)
    reason: FinalReason
    invalidity_date: AwareDatetime | None = None
    because: Annotated[str, StringConstraints(max_length=500)] = ""

    @property
    def selection(self) -> Selection:
        return Selection(
            issuer=self.issuer,
            profile=self.profile,
            valid_from=self.valid_from,
            valid_before=self.valid_before,
            serials=None if self.serials is None else frozenset(map(Serial.parse, self.serials)),
        )


class AskBody(SelectionBody):
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="of the preview: exactly what it showed is asked for"
    )


class Counted(BaseModel):
    issuer: str
    profile: str
    state: str
    count: int


class PreviewOut(BaseModel):
    count: int
    digest: str
    by: list[Counted]
    not_found: int

    @classmethod
    def of(cls, preview: Preview) -> PreviewOut:
        return cls(
            count=preview.count,
            digest=preview.digest.hex(),
            by=[Counted.model_validate(one) for one in preview.by],
            not_found=preview.not_found,
        )


class MassRevocationOut(BaseModel):
    id: UUID
    reason: str
    invalidity_date: datetime | None
    count: int
    digest: str
    asked_by: UUID
    asked_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    done: int
    revoked: int
    finished_at: datetime | None

    @classmethod
    def of(cls, mass: MassRevocation) -> MassRevocationOut:
        fields = {name: getattr(mass, name) for name in cls.model_fields}
        return cls.model_construct(**{**fields, "reason": mass.reason.label, "digest": mass.digest.hex()})


@blueprint.post("/mass-revocations/preview", responses={200: PreviewOut})
def preview(body: SelectionBody) -> Response:
    """What would be revoked; nothing is changed."""
    shown = services().mass_revocations.preview(
        caller(),
        body.selection,
        reason=body.reason.reason,
        because=body.because,
        invalidity_date=body.invalidity_date,
    )
    return render(PreviewOut.of(shown))


@blueprint.post("/mass-revocations", responses={201: MassRevocationOut})
def ask(body: AskBody) -> Response:
    """Ask for it; somebody else has to approve."""
    asked = services().mass_revocations.ask(
        caller(),
        body.selection,
        reason=body.reason.reason,
        because=body.because,
        invalidity_date=body.invalidity_date,
        digest=bytes.fromhex(body.digest),
    )
    return render(MassRevocationOut.of(asked), 201)


@blueprint.get("/mass-revocations", responses={200: listing(MassRevocationOut)})
def index() -> Response:
    """All of them, newest first."""
    return render_list(services().mass_revocations.list(caller()), MassRevocationOut.of)


@blueprint.get("/mass-revocations/<uuid:id>", responses={200: MassRevocationOut})
def show(path: ById) -> Response:
    """How far it is."""
    return render(MassRevocationOut.of(services().mass_revocations.get(caller(), path.id)))


@blueprint.post("/mass-revocations/<uuid:id>/approve", responses={200: MassRevocationOut})
def approve(path: ById, body: ApprovalBody) -> Response:
    """Approve what somebody else asked for; the worker carries it out."""
    approved = services().mass_revocations.approve(caller(), path.id, digest=bytes.fromhex(body.digest))
    return render(MassRevocationOut.of(approved))
