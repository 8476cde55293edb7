"""One application on one screen: data beside documents, a verdict on each, the decision; and finding any of them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller, identifier, require_fresh
from ca_core.domain.access import Permission
from ca_core.domain.application import ApplicationState
from ca_core.domain.errors import CaError, InvalidInput, NotFound, NotPermitted, Refused
from web.forms import back, seen_version
from web.identity import services
from web.status import status_of


class ReviewView(GuardedView):
    permission = Permission.APPLICATION_VIEW
    label = _l("Applications")

    def __init__(self) -> None:
        super().__init__(endpoint="review", url="applications")

    @expose("/")
    def index(self) -> ResponseReturnValue:
        state, text = request.args.get("state", ""), request.args.get("text", "").strip()[:100]
        states = list(ApplicationState)
        page = services().intake.list(
            caller(),
            states=(state,) if state in states else (),
            text=text,
            cursor=request.args.get("cursor") or None,
            limit=PAGE,
        )
        return self.render("applications.html", page=page, text=text, state=state, states=states)

    @expose("/<uuid:id>")
    def one(self, id: UUID) -> ResponseReturnValue:
        return self._screen(id)

    @expose("/<uuid:id>/documents/<uuid:document>/<int:number>.png")
    def picture(self, id: UUID, document: UUID, number: int) -> ResponseReturnValue:
        """A page, drawn anew; that the caller was shown the document goes on record."""
        if number < 1:
            raise NotFound("the document has no such page")
        return Response(services().documents.page(caller(), document, number), mimetype="image/png")

    @expose("/<uuid:id>/claim", methods=["POST"])
    def claim(self, id: UUID) -> ResponseReturnValue:
        over = request.form.get("take_over") == "1"
        return self.act(
            lambda actor: services().review.claim(actor, id, take_over=over), _("It is yours now."), ".one", id=id
        )

    @expose("/<uuid:id>/reconsider", methods=["POST"])
    def reconsider(self, id: UUID) -> ResponseReturnValue:
        """Send back into review what is approved; for reviewers and operators, with the reason."""
        version, note = seen_version(), request.form.get("note", "")
        return self.act(
            lambda actor: services().review.reconsider(actor, id, version=version, note=note),
            _("It is in the queue again."),
            ".one",
            id=id,
        )

    @expose("/<uuid:id>/release", methods=["POST"])
    def release(self, id: UUID) -> ResponseReturnValue:
        return self.act(lambda actor: services().review.release(actor, id), _("Given back."), ".one", id=id)

    @expose("/<uuid:id>/verdict", methods=["POST"])
    def verdict(self, id: UUID) -> ResponseReturnValue:
        """Accept or refuse one document."""
        actor, form, review = caller(), request.form, services().review
        document, version = identifier(form.get("document", "")), seen_version()
        try:
            if form.get("verdict") == "accept":
                review.accept_document(actor, document, version=version)
            else:
                reason, note = form.get("reason", ""), form.get("note", "")
                review.refuse_document(actor, document, version=version, reason=reason, note=note)
        except (InvalidInput, NotPermitted) as error:
            fault = error.fields.get("reason", error.detail)
            return self._screen(id, faults={str(document): fault}, typed=form.to_dict(), status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return redirect(url_for(".one", id=id, _anchor=f"document-{document}"))

    @expose("/<uuid:id>/decision", methods=["POST"])
    def decision(self, id: UUID) -> ResponseReturnValue:
        """Approve, return or reject; the password must have been given recently."""
        form, actor = request.form, caller()
        review, version, note = services().review, seen_version(), form.get("note", "")
        try:
            require_fresh()
            match form.get("decision"):
                case "approve":
                    review.approve(actor, id, version=version, digest=_digest(form.get("digest", "")))
                case "return":
                    review.return_for_correction(actor, id, version=version, note=note)
                case "reject":
                    review.reject(actor, id, version=version, note=note)
                case _:
                    raise InvalidInput("choose what to do with the application")
        except Refused as error:
            return self._screen(id, unchecked=error.fields, typed=form.to_dict(), status=status_of(error))
        except (InvalidInput, NotPermitted) as error:
            faults = {"decision": error.fields.get("note", error.detail)}
            return self._screen(id, faults=faults, typed=form.to_dict(), status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return redirect(url_for("admin.index", tab="mine"))

    def _screen(
        self,
        id: UUID,
        *,
        faults: Mapping[str, str] | None = None,
        unchecked: Mapping[str, str] | None = None,
        typed: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> ResponseReturnValue:
        """``faults`` by document or ``decision``; ``unchecked`` by kind of document; what was typed stays."""
        actor = caller()
        shown = services().review.look(actor, id)
        application = shown.application
        profile = services().profiles.pinned(application)
        page = self.render(
            "review.html",
            shown=shown,
            application=application,
            profile=profile,
            pack=services().profiles.pack(profile.pack),
            labels={one.kind: one.label for one in shown.requirements},
            sees_documents=actor.may(Permission.DOCUMENT_VIEW),
            faults=faults or {},
            unchecked=unchecked or {},
            typed=typed or {},
        )
        return page, status


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidInput("the form does not say what was shown; load the page again") from None
