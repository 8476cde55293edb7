"""The audit trail and the job queue, for those who may look."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from api.authentication import caller
from api.blueprint import blueprint as group, listing, render_page, services
from api.shapes import Paging
from ca_core.domain.audit import AuditRecord
from ca_core.domain.work import Job, JobState

blueprint = group("records", "Audit and jobs")


class AuditFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    after: int = Field(default=0, ge=0, le=2**62)
    limit: int = Field(default=100, ge=1, le=1000)
    object_id: str | None = Field(default=None, max_length=64)


class AuditOut(BaseModel):
    sequence: int
    at: datetime
    actor: UUID
    actor_name: str
    action: str
    object_kind: str
    object_id: str
    details: dict[str, object]
    digest: str

    @classmethod
    def of(cls, record: AuditRecord) -> AuditOut:
        fields = {name: getattr(record, name) for name in cls.model_fields}
        return cls(**{**fields, "digest": record.digest.hex(), "details": dict(record.details)})


class JobFilter(Paging):
    state: list[JobState] = Field(default=[], max_length=5)


class JobOut(BaseModel):
    id: UUID
    kind: str
    state: str
    run_at: datetime
    attempt: int
    max_attempts: int
    last_error: str
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        return cls(**{**{name: getattr(job, name) for name in cls.model_fields}, "state": job.state.value})


@blueprint.get("/audit", responses={200: listing(AuditOut)})
def audit(query: AuditFilter) -> Response:
    """Records in their order; page on with ``after`` = the last sequence."""
    records = services().audit.list(caller(), after=query.after, limit=query.limit, object_id=query.object_id)
    items = [AuditOut.of(record).model_dump(mode="json") for record in records]
    return jsonify({"items": items, "next_cursor": str(records[-1].sequence) if records else None})


@blueprint.get("/jobs", responses={200: listing(JobOut)})
def jobs(query: JobFilter) -> Response:
    page = services().jobs.list(caller(), states=query.state, cursor=query.cursor, limit=query.limit)
    return render_page(page, JobOut.of)
