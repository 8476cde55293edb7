"""Certificates: find, look at, hold, unhold, revoke, start the replacement of a lost token."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller, require_fresh
from ca_core.domain.access import Permission
from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import CaError, InvalidInput, NotAuthenticated
from ca_core.services.replacement_reason import Circumstance
from web.forms import back, seen_version
from web.identity import services
from web.limits import reports_compromise, revocations
from web.status import status_of
from web.words import said

REASONS = {one.label: one for one in RevocationReason if one is not RevocationReason.CERTIFICATE_HOLD}


class CertificatesView(GuardedView):
    permission = Permission.CERTIFICATE_VIEW
    label = _l("Certificates")

    def __init__(self) -> None:
        super().__init__(endpoint="staff_certificates", url="certificates")

    @expose("/")
    def index(self) -> ResponseReturnValue:
        state, text = request.args.get("state", ""), request.args.get("text", "").strip()[:100]
        states = list(CertificateState)
        page = services().certificates.list(
            caller(),
            states=(state,) if state in states else (),
            text=text,
            cursor=request.args.get("cursor") or None,
            limit=PAGE,
        )
        return self.render("certificates.html", page=page, text=text, state=state, states=states)

    @expose("/<uuid:id>")
    def one(self, id: UUID) -> ResponseReturnValue:
        return self._page(id)

    @expose("/<uuid:id>/hold", methods=["POST"])
    def hold(self, id: UUID) -> ResponseReturnValue:
        version, because = seen_version(), request.form.get("because", "")
        return self.act(
            lambda actor: services().revocation.hold(actor, id, because=because, version=version),
            _("It is on hold."),
            ".one",
            id=id,
        )

    @expose("/<uuid:id>/unhold", methods=["POST"])
    def unhold(self, id: UUID) -> ResponseReturnValue:
        version, because = seen_version(), request.form.get("because", "")
        return self.act(
            lambda actor: services().revocation.unhold(actor, id, because=because, version=version),
            _("The hold is lifted."),
            ".one",
            id=id,
        )

    @expose("/<uuid:id>/revoke", methods=["POST"])
    @revocations(lambda: str(caller().id))
    def revoke(self, id: UUID) -> ResponseReturnValue:
        """For good, so the password must have been given recently."""
        actor, version, form = caller(), seen_version(), request.form
        reason = REASONS.get(form.get("reason", ""))
        if reason is None or form.get("sure") != "yes":
            error = _("choose a reason, and say that you are sure")
            return self._page(id, error=error, status=422)
        try:
            require_fresh()
            services().revocation.revoke(actor, id, reason=reason, because=form.get("because", ""), version=version)
        except (InvalidInput, NotAuthenticated) as error:
            return self._page(id, error=said(error.detail), status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return redirect(url_for(".one", id=id))

    @expose("/<uuid:id>/replace", methods=["POST"])
    @revocations(lambda: str(caller().id), when=lambda: reports_compromise(request.form))
    def replace(self, id: UUID) -> ResponseReturnValue:
        """For a subscriber at the counter. What revokes the old certificate asks for a recent password, as above."""
        actor, form = caller(), request.form
        what = form.get("circumstance", "")
        if what not in set(Circumstance):
            return self._page(id, error=_("say what happened"), status=422)
        try:
            if reports_compromise(form):
                require_fresh()
            started = services().replacement.report(
                actor, id, circumstance=Circumstance(what), because=form.get("because", "")
            )
        except (InvalidInput, NotAuthenticated) as error:
            return self._page(id, error=said(error.detail), status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return redirect(url_for("review.one", id=started.id))

    def _page(self, id: UUID, *, error: str = "", status: int = 200) -> ResponseReturnValue:
        actor = caller()
        certificate = services().certificates.get(actor, id)
        page = self.render(
            "certificate.html",
            certificate=certificate,
            reasons=list(REASONS),
            circumstances=[one.value for one in Circumstance],
            error=error,
            typed=request.form,
            grounds=services().certificates.grounds(actor, id),
            may_hold=actor.may(Permission.CERTIFICATE_HOLD),
            may_unhold=actor.may(Permission.CERTIFICATE_UNHOLD),
            may_revoke=actor.may(Permission.CERTIFICATE_REVOKE),
            may_replace=actor.may(Permission.CERTIFICATE_REPLACE) and certificate.application is not None,
            sees_applications=actor.may(Permission.APPLICATION_VIEW),
        )
        return page, status
