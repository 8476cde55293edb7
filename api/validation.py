"""The verdict on a certificate of anybody."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from api.authentication import caller
from api.blueprint import blueprint as group, render, services
from api.shapes import Body
from ca_core.domain.path_validation import PathVerdict, Question, Reason, RevocationChecking, ValidationPolicy
from web.limits import verdicts

blueprint = group("validation", "Certificates and their status", tag="certificates")

Pem = Annotated[str, StringConstraints(min_length=1, max_length=90_000)]
Oid = Annotated[str, StringConstraints(pattern=r"^[0-2](\.(0|[1-9][0-9]{0,15})){1,30}$")]
Usage = Annotated[
    str,
    StringConstraints(
        pattern=r"^(digitalSignature|nonRepudiation|keyEncipherment|dataEncipherment|"
        r"keyAgreement|keyCertSign|cRLSign)$"
    ),
]


class VerificationBody(Body):
    certificate: Pem = Field(description="PEM")
    intermediates: list[Pem] = Field(default=[], max_length=500, description="PEM, one each; they are not trusted")
    lists: list[Base64Bytes] = Field(default=[], max_length=50, description="revocation lists, DER in base64")
    responses: list[Base64Bytes] = Field(default=[], max_length=50, description="OCSP responses, DER in base64")
    at: AwareDatetime | None = Field(default=None, description="the moment it has to be valid at; now unless given")
    revocation: RevocationChecking | None = None
    freshness_hours: int | None = Field(default=None, ge=1, le=24 * 397)
    hold_is_revoked: bool | None = None
    certificate_policies: list[Oid] = Field(default=[], max_length=100)
    explicit_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False
    key_usage: list[Usage] = Field(default=[], max_length=7)
    extended_key_usage: list[Oid] = Field(default=[], max_length=20)

    def question(self, default: ValidationPolicy) -> Question:
        """With what the configuration says where the body says nothing."""
        hours = self.freshness_hours
        policy = dataclasses.replace(
            default,
            revocation=self.revocation or default.revocation,
            freshness=default.freshness if hours is None else timedelta(hours=hours),
            hold_is_revoked=default.hold_is_revoked if self.hold_is_revoked is None else self.hold_is_revoked,
            certificate_policies=frozenset(self.certificate_policies),
            explicit_policy=self.explicit_policy,
            inhibit_policy_mapping=self.inhibit_policy_mapping,
            inhibit_any_policy=self.inhibit_any_policy,
            key_usage=frozenset(self.key_usage),
            extended_key_usage=frozenset(self.extended_key_usage),
        )
        return Question(
            certificate=self.certificate.encode(),
            intermediates=tuple(one.encode() for one in self.intermediates),
            lists=tuple(self.lists),
            responses=tuple(self.responses),
            at=self.at,
            policy=policy,
        )


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LinkOut(Out):
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime


class EvidenceOut(Out):
    certificate: int
    kind: str
    number: int | None
    this_update: datetime
    next_update: datetime | None


class VerdictOut(Out):
    valid: bool
    reason: Reason
    sentence: str
    certificate: int = Field(description="place in the chain of the one that it fails at")
    chain: list[LinkOut] = Field(description="from the one in question up to the anchor")
    moment: datetime
    evidence: list[EvidenceOut]
    unknown: list[str]
    policies: list[str]
    revoked_at: datetime | None
    revocation_reason: str | None
    reusable_until: datetime | None

    @classmethod
    def of(cls, verdict: PathVerdict) -> VerdictOut:
        return cls.model_validate(verdict)


@blueprint.post("/certificates/verify", responses={200: VerdictOut})
@verdicts(lambda: str(caller().id))
def verify(body: VerificationBody) -> Response:
    """Whether a certificate, ours or anybody's, is valid: its chain, its time, its status. A certificate that is not
    valid is an answer too, and no error."""
    service = services().path_validation
    return render(VerdictOut.of(service.validate(caller(), body.question(service.policy))))
