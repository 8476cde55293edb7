"""What every page for staff shares: the guard in front of it, and its rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView
from flask_babel import LazyString

from ca_core.domain.access import Actor, Permission
from ca_core.domain.errors import CaError, InvalidInput, NotPermitted
from web import identity
from web.forms import back

PAGE = 30
"""Rows on a page of a list."""

blueprint = Blueprint("staff", __name__, template_folder="templates")


class GuardedView(BaseView):
    """Closed unless the caller is staff, has a second factor, and has the view's right (invariant 13).

    Flask-Admin asks :meth:`is_accessible` before every view function; the services decide once more."""

    permission: ClassVar[Permission]
    label: ClassVar[str | LazyString]
    """What the navigation calls it; a message to be translated."""

    def is_accessible(self) -> bool:
        actor = caller()  # raises when nobody is logged in, or without a second factor
        if not actor.may(self.permission):
            raise NotPermitted("this page is for others than you; ask an administrator if it should not be")
        return True

    def is_visible(self) -> bool:
        return identity.may(self.permission)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin would call a view that raised TypeError a second time, in another way.
        return fn(self, *args, **kwargs)

    @property
    def visible_views(self) -> list[GuardedView]:
        """The views that the caller may open, in the order of the navigation."""
        assert self.admin is not None
        return [one for one in self.admin._views if isinstance(one, GuardedView) and one.is_visible()]

    def render(self, template: str, **context: Any) -> str:
        return render_template(
            f"staff/{template}", views=self.visible_views, view=self, PAGE=PAGE, fresh=identity.is_fresh(), **context
        )

    def act(
        self, what: Callable[[Actor], object], done: str, endpoint: str = ".index", **values: Any
    ) -> ResponseReturnValue:
        """Do it, say so, and show the page again."""
        try:
            what(caller())
        except CaError as error:
            return back(url_for(endpoint, **values), error)
        flash(done, "done")
        return redirect(url_for(endpoint, **values))


def caller() -> Actor:
    """The member of staff at the browser."""
    actor = identity.actor()
    account = identity.account()
    if account is None or not account.is_staff:
        raise NotPermitted("this site is for staff")
    return actor


def require_fresh() -> None:
    """NotAuthenticated unless the password was given recently, or stands in this form."""
    identity.require_fresh(password=request.form.get("password", ""), totp=request.form.get("totp", ""))


def identifier(text: str) -> UUID:
    """An identifier from a form; InvalidInput for anything else."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("the form names nothing; load the page again") from None
