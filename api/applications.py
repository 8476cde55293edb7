"""Applications: from draft to certificate, for subscribers and staff alike; the services know who may what."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field

from api.authentication import caller
from api.blueprint import ById, IfMatch, blueprint as group, listing, render, render_page, seen_version, services
from api.shapes import (
    AcceptedOut,
    ApplicationChanges,
    ApplicationDetail,
    ApplicationOut,
    ApprovalBody,
    CertificateOut,
    CheckOut,
    DocumentOut,
    NewApplicationBody,
    NoteBody,
    Paging,
    RejectBody,
    RequestBody,
    RequirementOut,
    pairs,
)
from ca_core.domain.application import ApplicationState
from ca_core.services.new_application import NewApplication

blueprint = group("applications", "Applications and their review")


class ApplicationFilter(Paging):
    state: list[ApplicationState] = Field(default=[], max_length=12)
    text: str = Field(default="", max_length=200)
    order: Literal["created", "due"] = "created"


class QueueFilter(Paging):
    tab: Literal["mine", "unclaimed", "second", "returned", "decided", "all"] = "unclaimed"
    text: str = Field(default="", max_length=200)


class SnapshotOut(BaseModel):
    application: ApplicationOut
    documents: list[DocumentOut]
    requirements: list[RequirementOut]
    checks: list[CheckOut]
    digest: str
    approvals: int
    viewed: list[UUID]


@blueprint.post("/applications", responses={201: ApplicationOut})
def create(body: NewApplicationBody) -> Response:
    """Start an application; it is a draft until it is submitted."""
    new = NewApplication(
        profile=body.profile,
        subject=body.subject,
        san=pairs(body.subject_alternative_names),
        identification=body.identification,
        centre=body.centre,
        owner=body.owner,
        replaces=body.replaces,
    )
    return render(ApplicationOut.of(services().intake.create(caller(), new)), 201)


@blueprint.get("/applications", responses={200: listing(ApplicationOut)})
def index(query: ApplicationFilter) -> Response:
    """The applications that the caller may see."""
    page = services().intake.list(
        caller(), states=query.state, text=query.text, cursor=query.cursor, limit=query.limit, order=query.order
    )
    return render_page(page, ApplicationOut.of)


@blueprint.get("/queue", responses={200: listing(ApplicationOut)})
def queue(query: QueueFilter) -> Response:
    """The review queue of the caller's centres, earliest deadline first."""
    page = services().review.queue(caller(), tab=query.tab, text=query.text, cursor=query.cursor, limit=query.limit)
    return render_page(page, ApplicationOut.of)


@blueprint.get("/applications/<uuid:id>", responses={200: ApplicationDetail})
def show(path: ById) -> Response:
    return render(ApplicationDetail.of_view(services().intake.get(caller(), path.id)))


@blueprint.patch("/applications/<uuid:id>", responses={200: ApplicationOut})
def update(path: ById, header: IfMatch, body: ApplicationChanges) -> Response:
    """Change the data before the decision; approvals given so far no longer count."""
    names = body.subject_alternative_names
    changed = services().intake.update(
        caller(),
        path.id,
        version=seen_version(),
        subject=body.subject,
        san=None if names is None else pairs(names),
        identification=body.identification,
    )
    return render(ApplicationOut.of(changed))


@blueprint.post("/applications/<uuid:id>/submit", responses={200: ApplicationOut})
def submit(path: ById, header: IfMatch) -> Response:
    """Hand in for review; the clock starts."""
    return render(ApplicationOut.of(services().intake.submit(caller(), path.id, version=seen_version())))


@blueprint.post("/applications/<uuid:id>/withdraw", responses={200: ApplicationOut})
def withdraw(path: ById, header: IfMatch) -> Response:
    return render(ApplicationOut.of(services().intake.withdraw(caller(), path.id, version=seen_version())))


class Claim(BaseModel):
    take_over: bool = Field(default=False, description="take it from somebody else; for reviewers")


@blueprint.post("/applications/<uuid:id>/claim", responses={200: ApplicationOut})
def claim(path: ById, query: Claim) -> Response:
    """Take it into review; nobody else decides on it until the claim runs out or is released."""
    return render(ApplicationOut.of(services().review.claim(caller(), path.id, take_over=query.take_over)))


@blueprint.post("/applications/<uuid:id>/release", responses={200: ApplicationOut})
def release(path: ById) -> Response:
    return render(ApplicationOut.of(services().review.release(caller(), path.id)))


@blueprint.get("/applications/<uuid:id>/snapshot", responses={200: SnapshotOut})
def snapshot(path: ById) -> Response:
    """What an approver has to look at, with the digest that the approval names."""
    seen = services().review.snapshot(caller(), path.id)
    out = SnapshotOut(
        application=ApplicationOut.of(seen.application),
        documents=[DocumentOut.of(one) for one in seen.documents],
        requirements=[RequirementOut.of(one) for one in seen.requirements],
        checks=[CheckOut.of(one) for one in seen.checks],
        digest=seen.digest.hex(),
        approvals=len(seen.approvals),
        viewed=sorted(seen.viewed),
    )
    return render(out)


@blueprint.post("/applications/<uuid:id>/return", responses={200: ApplicationOut})
def return_for_correction(path: ById, header: IfMatch, body: NoteBody) -> Response:
    """Send back what was refused; the clock pauses."""
    done = services().review.return_for_correction(caller(), path.id, version=seen_version(), note=body.note)
    return render(ApplicationOut.of(done))


@blueprint.post("/applications/<uuid:id>/approve", responses={200: ApplicationOut})
def approve(path: ById, header: IfMatch, body: ApprovalBody) -> Response:
    """Approve exactly the snapshot with this digest."""
    done = services().review.approve(caller(), path.id, version=seen_version(), digest=bytes.fromhex(body.digest))
    return render(ApplicationOut.of(done))


@blueprint.post("/applications/<uuid:id>/reject", responses={200: ApplicationOut})
def reject(path: ById, header: IfMatch, body: RejectBody) -> Response:
    done = services().review.reject(caller(), path.id, version=seen_version(), note=body.note)
    return render(ApplicationOut.of(done))


@blueprint.post("/applications/<uuid:id>/reconsider", responses={200: ApplicationOut})
def reconsider(path: ById, header: IfMatch, body: RejectBody) -> Response:
    """Send back into review what is approved and not issued yet; its approvals no longer count."""
    done = services().review.reconsider(caller(), path.id, version=seen_version(), note=body.note)
    return render(ApplicationOut.of(done))


@blueprint.put("/applications/<uuid:id>/request", responses={200: ApplicationOut})
def receive_request(path: ById, header: IfMatch, body: RequestBody) -> Response:
    """The certification request, signed by the applicant's own key."""
    done = services().requests.receive(caller(), path.id, body.request.encode(), version=seen_version())
    return render(ApplicationOut.of(done))


@blueprint.post("/applications/<uuid:id>/issue", responses={200: CertificateOut})
def issue(path: ById, header: IfMatch) -> Response:
    """Issue the certificate for the request that was seen; repeated after that, the call gives the same one."""
    return render(CertificateOut.of(services().issuance.issue(caller(), path.id, version=seen_version())))


@blueprint.post("/applications/<uuid:id>/accept", responses={200: AcceptedOut})
def accept(path: ById, header: IfMatch) -> Response:
    """The subscriber has checked the certificate and accepts it."""
    application, code = services().acceptance.accept(caller(), path.id, version=seen_version())
    return render(AcceptedOut(application=ApplicationOut.of(application), report_code=code))


@blueprint.get(
    "/notices",
    responses={
        200: {"description": "messages to the caller", "content": {"application/json": {"schema": {"type": "object"}}}}
    },
)
def notices() -> Response:
    """What the caller was told, newest first."""
    items = services().notices.of(caller())
    return jsonify(
        {
            "items": [
                {
                    "id": str(one.id),
                    "kind": one.kind,
                    "context": dict(one.context),
                    "state": one.state.value,
                    "created_at": one.created_at.isoformat(),
                    "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                }
                for one in items
            ],
            "next_cursor": None,
        }
    )
