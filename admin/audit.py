"""The record of everything, for auditors: read, verify, take away."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller
from ca_core.domain.access import Permission
from web.identity import services


class AuditView(GuardedView):
    permission = Permission.AUDIT_VIEW
    label = _l("Records")

    def __init__(self) -> None:
        super().__init__(endpoint="staff_audit", url="audit")

    @expose("/")
    def index(self) -> ResponseReturnValue:
        return self._page()

    @expose("/verify", methods=["POST"])
    def verify(self) -> ResponseReturnValue:
        return self._page(report=services().audit.verify(caller()))

    @expose("/export.jsonl")
    def export(self) -> ResponseReturnValue:
        lines = services().audit.export(caller())
        response = Response((line + "\n" for line in lines), mimetype="application/jsonl")
        response.headers["Content-Disposition"] = 'attachment; filename="audit.jsonl"'
        return response

    def _page(self, *, report: object = None) -> str:
        actor = caller()
        after = request.args.get("after", "0")
        object_id = request.args.get("object", "").strip()[:64]
        start = int(after) if after.isdecimal() and len(after) < 18 else 0
        records = services().audit.list(actor, after=start, limit=PAGE, object_id=object_id or None)
        return self.render(
            "audit.html",
            records=records,
            object=object_id,
            after=start,
            report=report,
            may_export=actor.may(Permission.AUDIT_EXPORT),
        )
