"""The queue: what waits, the most pressing first."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller
from ca_core.domain.access import Permission
from ca_core.services.review import TABS
from web.identity import services


class QueueView(GuardedView, AdminIndexView):
    """``/admin/``. Staff who review nothing are sent on to the first page that is theirs."""

    permission = Permission.APPLICATION_REVIEW
    label = _l("Queue")

    def __init__(self) -> None:
        super().__init__()
        # Flask-Admin would serve its own scripts and styles, which no page here uses.
        self.static_folder = None

    def is_accessible(self) -> bool:
        return caller().may(self.permission) or bool(self.visible_views)

    @expose("/")
    def index(self) -> ResponseReturnValue:
        actor = caller()
        if not actor.may(self.permission):
            first = self.visible_views[0]
            return redirect(first.get_url(f"{first.endpoint}.index"))
        tab = request.args.get("tab", "unclaimed")
        tab = tab if tab in TABS else "unclaimed"
        text = request.args.get("text", "").strip()[:100]
        page = services().review.queue(actor, tab=tab, text=text, cursor=request.args.get("cursor") or None, limit=PAGE)
        return self.render(
            "queue.html",
            page=page,
            tab=tab,
            tabs=list(TABS),
            counts=services().review.counts(actor),
            text=text,
            me=actor.id,
        )
