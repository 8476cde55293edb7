"""Certificates: find, download, hold, revoke, replace."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask import Response, request
from pydantic import BaseModel, Field

from api.authentication import caller
from api.blueprint import (
    ById,
    IfMatch,
    binary,
    blueprint as group,
    crls,
    listing,
    render,
    render_list,
    render_page,
    seen_version,
    services,
)
from api.shapes import (
    ApplicationOut,
    Body,
    CertificateOut,
    CrlOut,
    GroundBody,
    LossBody,
    Paging,
    ReplacementBody,
    RevocationBody,
    Token,
)
from ca_core.domain.certificate import CertificateState
from web.limits import REPORT, reports_compromise, revocations

blueprint = group("certificates", "Certificates and their status")
report = group("report", "Certificates and their status", tag="certificates", open=True)


class CertificateFilter(Paging):
    state: list[CertificateState] = Field(default=[], max_length=5)
    text: str = Field(default="", max_length=200)


class FilePath(BaseModel):
    id: UUID
    format: Literal["pem", "der", "chain"]


class CrlBody(Body):
    authority: Token
    partition: int | None = Field(default=None, ge=0, le=65_535)
    delta: bool = False


@blueprint.get("/certificates", responses={200: listing(CertificateOut)})
def index(query: CertificateFilter) -> Response:
    page = services().certificates.list(
        caller(), states=query.state, text=query.text, cursor=query.cursor, limit=query.limit
    )
    return render_page(page, CertificateOut.of)


@blueprint.get("/certificates/<uuid:id>", responses={200: CertificateOut})
def show(path: ById) -> Response:
    return render(CertificateOut.of(services().certificates.get(caller(), path.id)))


FORMATS = {
    "der": "application/pkix-cert",
    "pem": "application/x-pem-file",
    "chain": "application/pem-certificate-chain",
}


@blueprint.get("/certificates/<uuid:id>/<string:format>", responses={200: binary(*FORMATS.values())})
def download(path: FilePath) -> Response:
    """The certificate as DER or PEM, or with its chain as PEM."""
    data = services().certificates.export(caller(), path.id, path.format)
    return Response(data, content_type=FORMATS[path.format])


@blueprint.post("/certificates/<uuid:id>/hold", responses={200: CertificateOut})
def hold(path: ById, header: IfMatch, body: GroundBody) -> Response:
    """Suspend at once."""
    held = services().revocation.hold(caller(), path.id, because=body.because, version=seen_version())
    return render(CertificateOut.of(held))


@blueprint.post("/certificates/<uuid:id>/unhold", responses={200: CertificateOut})
def unhold(path: ById, header: IfMatch, body: GroundBody) -> Response:
    lifted = services().revocation.unhold(caller(), path.id, because=body.because, version=seen_version())
    return render(CertificateOut.of(lifted))


@blueprint.post("/certificates/<uuid:id>/revoke", responses={200: CertificateOut})
@revocations(lambda: str(caller().id))
def revoke(path: ById, header: IfMatch, body: RevocationBody) -> Response:
    revoked = services().revocation.revoke(
        caller(),
        path.id,
        reason=body.reason.reason,
        invalidity_date=body.invalidity_date,
        because=body.because,
        version=seen_version(),
    )
    return render(CertificateOut.of(revoked))


@blueprint.post("/certificates/<uuid:id>/replace", responses={201: ApplicationOut})
@revocations(lambda: str(caller().id), when=lambda: reports_compromise(request.get_json()))
def replace(path: ById, body: ReplacementBody) -> Response:
    """Report the token lost, broken or compromised, or the data changed; starts the application for a new one."""
    started = services().replacement.report(caller(), path.id, circumstance=body.circumstance, because=body.because)
    return render(ApplicationOut.of(started), 201)


@blueprint.post("/certificates/<uuid:id>/found", responses={200: CertificateOut})
def found(path: ById, body: GroundBody) -> Response:
    """The lost token was found: lift the hold and withdraw the replacement."""
    return render(CertificateOut.of(services().replacement.found(caller(), path.id, because=body.because)))


@blueprint.post("/crls", responses={200: listing(CrlOut)})
def issue_crl(body: CrlBody) -> Response:
    """Sign and publish a new certificate revocation list now, or a delta to it."""
    issued = crls().issue(caller(), body.authority, partition=body.partition, delta=body.delta)
    return render_list(issued, CrlOut.of)


@report.post("/loss-reports", responses={204: None})
@REPORT
def report_loss(body: LossBody) -> tuple[str, int]:
    """Put a certificate on hold by its report code, without a log-in."""
    services().replacement.report_by_code(body.code)
    return "", 204
