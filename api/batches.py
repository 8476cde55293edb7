"""Batches: the certificates of many approved applications in one request."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field, StringConstraints

from api.authentication import caller
from api.blueprint import blueprint as group, render, services
from api.problems import Problem
from api.shapes import Body, CertificateOut
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import CaError
from ca_core.services.batch import BatchRow
from ca_core.x509.pem import to_pem

MOST = 500
"""Rows of one request."""

blueprint = group("batches", "Certificates and their status", tag="certificates")


class BatchItem(Body):
    application: UUID
    request: Annotated[str, StringConstraints(min_length=1, max_length=90_000)] | None = Field(
        default=None, description="PKCS #10 certification request, PEM; left out where the application has its request"
    )


class BatchBody(Body):
    items: list[BatchItem] = Field(min_length=1, max_length=MOST)


class BatchItemOut(BaseModel):
    application: UUID
    certificate: CertificateOut | None = None
    pem: str | None = None
    problem: Problem | None = None


class BatchOut(BaseModel):
    items: list[BatchItemOut] = Field(description="in the order of the request")


@blueprint.post("/certificates/batch", responses={200: BatchOut})
def issue(body: BatchBody) -> Response:
    """Issue the certificates of approved applications, each for itself: a row that is refused says why. Sent again, the
    same rows give the same certificates."""
    rows = [
        BatchRow(application=item.application, request=item.request.encode() if item.request else None)
        for item in body.items
    ]
    outcomes = services().batch.issue(caller(), rows)
    found = [_item(item.application, outcome) for item, outcome in zip(body.items, outcomes, strict=True)]
    return render(BatchOut(items=found))


def _item(application: UUID, outcome: Certificate | CaError) -> BatchItemOut:
    if isinstance(outcome, Certificate):
        assert outcome.der is not None
        return BatchItemOut(application=application, certificate=CertificateOut.of(outcome), pem=to_pem(outcome.der))
    return BatchItemOut(application=application, problem=Problem.of(outcome))
