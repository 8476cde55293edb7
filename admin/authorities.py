"""The authority's own certificates and lists, for officers."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext as _l

from admin.guard import GuardedView, caller
from ca_core.domain.access import Permission
from crl.office import CrlOffice
from web.identity import services


class AuthoritiesView(GuardedView):
    permission = Permission.AUTHORITY_VIEW
    label = _l("Authorities")

    def __init__(self, crls: CrlOffice) -> None:
        super().__init__(endpoint="staff_authorities", url="authorities")
        self._crls = crls

    @expose("/")
    def index(self) -> ResponseReturnValue:
        actor = caller()
        return self.render(
            "authorities.html",
            authorities=services().authorities.list(actor),
            lists=self._crls.overview(),
            may_issue=actor.may(Permission.CRL_ISSUE),
        )

    @expose("/crl", methods=["POST"])
    def issue(self) -> ResponseReturnValue:
        name, _slash, partition = request.form.get("list", "").partition("/")
        number = int(partition) if partition.isdecimal() else 0
        return self.act(
            lambda actor: self._crls.issue(actor, name, partition=number), _("A new list is signed and published.")
        )
