"""Documents of an application: upload, pages as pictures, originals, verdicts."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request
from flask_openapi import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from api.authentication import caller
from api.blueprint import ById, IfMatch, binary, blueprint as group, render, seen_version, services
from api.shapes import DocumentOut, RefusalBody, Token
from ca_core.domain.errors import InvalidInput
from web.limits import uploads

blueprint = group("documents", "Documents of an application")


class Upload(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    kind: Token = Field(description="a document type of the profile's evidence table")
    file: FileStorage = Field(description="PDF, JPEG, PNG or TIFF")


class PagePath(BaseModel):
    id: UUID
    page: int = Field(ge=1, le=10_000)


@blueprint.post("/applications/<uuid:id>/documents", responses={201: DocumentOut})
@uploads(lambda: str(caller().id))
def attach(path: ById, form: Upload) -> Response:
    """Upload a document; a newer one of the same kind replaces the one before."""
    file = request.files.get("file")
    if file is None or not file.filename:
        # A plain field of that name passes the schema's check; it is no file all the same.
        raise InvalidInput("send the document as a file with a name", fields={"file": "a file with its name"})
    document = services().documents.attach(caller(), path.id, kind=form.kind, filename=file.filename, data=file.read())
    return render(DocumentOut.of(document), 201)


@blueprint.get("/documents/<uuid:id>/pages/<int:page>", responses={200: binary("image/png")})
def page(path: PagePath) -> Response:
    """One page as a picture, drawn anew; that the caller saw it goes on record."""
    return Response(services().documents.page(caller(), path.id, path.page), mimetype="image/png")


@blueprint.get("/documents/<uuid:id>/original", responses={200: binary("application/octet-stream")})
def original(path: ById) -> Response:
    """The bytes as received, for saving; never shown inline."""
    document, data = services().documents.original(caller(), path.id)
    response = Response(data, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=document.filename)
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


@blueprint.post("/documents/<uuid:id>/accept", responses={200: DocumentOut})
def accept(path: ById, header: IfMatch) -> Response:
    return render(DocumentOut.of(services().review.accept_document(caller(), path.id, version=seen_version())))


@blueprint.post("/documents/<uuid:id>/refuse", responses={200: DocumentOut})
def refuse(path: ById, header: IfMatch, body: RefusalBody) -> Response:
    """Refuse with a reason that the applicant is told."""
    refused = services().review.refuse_document(
        caller(), path.id, version=seen_version(), reason=body.reason, note=body.note
    )
    return render(DocumentOut.of(refused))
