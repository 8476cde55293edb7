"""Accounts and service centres, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext as _l

from admin.guard import PAGE, GuardedView, caller, identifier, require_fresh
from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission, Role
from ca_core.domain.account import Account, AccountChange
from ca_core.domain.errors import CaError, Conflict, InvalidInput, NotAuthenticated
from web.forms import back, seen_version
from web.identity import services
from web.status import status_of

GIVEN = [role for role in Role if role is not Role.SYSTEM]
"""Roles that people can have."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A change that one administrator asked for and another has to confirm."""

    change: AccountChange
    account: Account
    asked_by: str


class AccountsView(GuardedView):
    permission = Permission.ACCOUNT_VIEW
    label = _l("Accounts")

    def __init__(self) -> None:
        super().__init__(endpoint="staff_accounts", url="accounts")

    @expose("/")
    def index(self) -> ResponseReturnValue:
        return self._list()

    @expose("/<uuid:id>")
    def one(self, id: UUID) -> ResponseReturnValue:
        return self._page(id)

    @expose("/", methods=["POST"])
    def create(self) -> ResponseReturnValue:
        """The first password is on this answer alone."""
        form = request.form
        try:
            require_fresh()
            account, password = services().accounts.create(
                caller(),
                email=form.get("email", ""),
                name=form.get("name", ""),
                roles=_roles(form.getlist("roles")),
                centres=frozenset(identifier(one) for one in form.getlist("centres")),
                password=None,
            )
        except (InvalidInput, Conflict, NotAuthenticated) as error:
            return self._list(typed=form.to_dict(), chosen=form.getlist("roles"), error=error, status=status_of(error))
        except CaError as error:
            return back(url_for(".index"), error)
        return self._password(account, password)

    @expose("/<uuid:id>/roles", methods=["POST"])
    def roles(self, id: UUID) -> ResponseReturnValue:
        form, version = request.form, seen_version()
        try:
            require_fresh()
            account, password = services().accounts.change_roles(
                caller(),
                id,
                roles=_roles(form.getlist("roles")),
                centres=frozenset(identifier(one) for one in form.getlist("centres")),
                version=version,
            )
        except (InvalidInput, NotAuthenticated) as error:
            return self._page(id, error=error, status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return self._page(id) if password is None else self._password(account, password)

    @expose("/changes/<uuid:id>/confirm", methods=["POST"])
    def confirm(self, id: UUID) -> ResponseReturnValue:
        """The second half of a new password is on this answer alone."""
        try:
            require_fresh()
            account, password = services().accounts.confirm_change(caller(), id)
        except NotAuthenticated as error:
            return self._list(change_error=error, status=status_of(error))
        except CaError as error:
            return back(url_for(".index"), error)
        if password is None:
            return self._page(account.id)
        return self.render("first_password.html", made=account, password=password, half="second")

    @expose("/changes/<uuid:id>/refuse", methods=["POST"])
    def refuse(self, id: UUID) -> ResponseReturnValue:
        return self.act(lambda actor: services().accounts.refuse_change(actor, id), _("It will not be done."))

    @expose("/<uuid:id>/close", methods=["POST"])
    def close(self, id: UUID) -> ResponseReturnValue:
        version = seen_version()
        return self.act(
            lambda actor: services().accounts.deactivate(actor, id, version=version), _("It is closed."), ".one", id=id
        )

    @expose("/<uuid:id>/open", methods=["POST"])
    def open(self, id: UUID) -> ResponseReturnValue:
        version = seen_version()
        return self.act(
            lambda actor: services().accounts.reactivate(actor, id, version=version), _("It is open."), ".one", id=id
        )

    @expose("/<uuid:id>/reset", methods=["POST"])
    def reset(self, id: UUID) -> ResponseReturnValue:
        """A new first password, no second factor; the owner is told."""
        version = seen_version()
        try:
            require_fresh()
            account, password = services().accounts.reset_access(caller(), id, version=version)
        except NotAuthenticated as error:
            return self._page(id, error=error, status=status_of(error))
        except CaError as error:
            return back(url_for(".one", id=id), error)
        return self._password(account, password)

    @expose("/<uuid:id>/tokens", methods=["POST"])
    def tokens(self, id: UUID) -> ResponseReturnValue:
        """It takes and gives nothing, so a fresh password is not asked for; the owner is told."""
        return self.act(
            lambda actor: services().tokens.revoke_all(actor, id), _("The API tokens are revoked."), ".one", id=id
        )

    @expose("/centres", methods=["POST"])
    def centre(self) -> ResponseReturnValue:
        form = request.form
        try:
            services().accounts.create_centre(caller(), code=form.get("code", ""), name=form.get("centre_name", ""))
        except (InvalidInput, Conflict) as error:
            return self._list(typed=form.to_dict(), centre_error=error, status=status_of(error))
        except CaError as error:
            return back(url_for(".index"), error)
        return self._list()

    def _password(self, account: Account, password: str) -> str:
        """Whole, or the first half where the account waits for a second administrator."""
        half = "first" if services().accounts.changes_waiting(caller(), account.id) else ""
        return self.render("first_password.html", made=account, password=password, half=half)

    def _waiting(self, actor: Actor, id: UUID | None = None) -> list[Waiting]:
        return [
            Waiting(
                change=change,
                account=services().accounts.get(actor, change.account),
                asked_by=_name(actor, change.asked_by),
            )
            for change in services().accounts.changes_waiting(actor, id)
        ]

    def _list(
        self,
        *,
        typed: dict[str, str] | None = None,
        chosen: list[str] | None = None,
        error: CaError | None = None,
        centre_error: CaError | None = None,
        change_error: CaError | None = None,
        status: int = 200,
    ) -> ResponseReturnValue:
        actor = caller()
        text = request.args.get("text", "").strip()[:100]
        page = services().accounts.list(actor, text=text, cursor=request.args.get("cursor") or None, limit=PAGE)
        rendered = self.render(
            "accounts.html",
            page=page,
            text=text,
            roles=GIVEN,
            centres=services().accounts.list_centres(actor),
            typed=typed or {},
            chosen=chosen or [],
            error=error,
            centre_error=centre_error,
            change_error=change_error,
            waiting=self._waiting(actor),
            caller_id=actor.id,
            may_manage=actor.may(Permission.ACCOUNT_MANAGE),
        )
        return rendered, status

    def _page(self, id: UUID, *, error: CaError | None = None, status: int = 200) -> ResponseReturnValue:
        actor = caller()
        rendered = self.render(
            "account.html",
            shown=services().accounts.get(actor, id),
            tokens=services().tokens.in_use(actor, id),
            waiting=self._waiting(actor, id),
            caller_id=actor.id,
            roles=GIVEN,
            centres=services().accounts.list_centres(actor),
            error=error,
            may_manage=actor.may(Permission.ACCOUNT_MANAGE) and actor.id != id,
        )
        return rendered, status


def _name(actor: Actor, id: UUID) -> str:
    return SYSTEM_ACTOR.name if id == SYSTEM_ACTOR.id else services().accounts.get(actor, id).email


def _roles(names: list[str]) -> frozenset[Role]:
    known = {role.value: role for role in GIVEN}
    if not names or any(name not in known for name in names):
        raise InvalidInput("choose at least one role", fields={"roles": "choose at least one role"})
    return frozenset(known[name] for name in names)
