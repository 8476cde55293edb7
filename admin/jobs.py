"""The queue of jobs: what waits, what failed, what somebody has to look at."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller
from ca_core.domain.access import Permission
from ca_core.domain.work import JobState
from web.identity import services


class JobsView(GuardedView):
    permission = Permission.JOB_VIEW
    label = _l("Jobs")

    def __init__(self) -> None:
        super().__init__(endpoint="staff_jobs", url="jobs")

    @expose("/")
    def index(self) -> ResponseReturnValue:
        actor, state = caller(), request.args.get("state", "")
        states = list(JobState)
        page = services().jobs.list(
            actor,
            states=(state,) if state in states else (),
            cursor=request.args.get("cursor") or None,
            limit=PAGE,
        )
        return self.render(
            "jobs.html", page=page, state=state, states=states, may_manage=actor.may(Permission.JOB_MANAGE)
        )

    @expose("/<uuid:id>/revive", methods=["POST"])
    def revive(self, id: UUID) -> ResponseReturnValue:
        return self.act(lambda actor: services().jobs.revive(actor, id), _("It is queued again."))
