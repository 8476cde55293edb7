"""The e-mail address of whoever is logged in: to be confirmed, to be changed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ca_core.domain.account import Account
from ca_core.domain.errors import CaError, Duplicate, InvalidInput, NotAuthenticated, NotFound
from web import identity
from web.limits import letters
from web.status import status_of

blueprint = Blueprint("address", __name__)
limited = letters(lambda: str(_mine().id))


@blueprint.get("/address")
def address() -> ResponseReturnValue:
    return render_template("address.html", me=_mine(), error="", fields={})


@blueprint.post("/address")
@limited
def change() -> ResponseReturnValue:
    me, form = _mine(), request.form
    try:
        identity.services().accounts.change_email(
            me.actor(), email=form.get("email", ""), current=form.get("current", ""), source=identity.source()
        )
    except (InvalidInput, NotAuthenticated) as error:
        return render_template("address.html", me=me, error=error.detail, fields=error.fields), 422
    flash(_("We have sent a link to the new address. Until you open it and confirm, the present one counts."), "done")
    return redirect(url_for(".address"))


@blueprint.post("/address/again")
@limited
def again() -> ResponseReturnValue:
    identity.services().addresses.ask_again(_mine().actor())
    flash(_("We have sent you another link. Look into your mail, and into the folder for unwanted mail."), "done")
    return redirect(url_for(".address"))


@blueprint.get("/confirm-address")
def confirm() -> ResponseReturnValue:
    """What the link opens. It confirms nothing by itself: programs that look through mail open links too."""
    return _confirming(request.args.get("token", ""))


@blueprint.post("/confirm-address")
def confirm_submit() -> ResponseReturnValue:
    token = request.form.get("token", "")
    try:
        confirmed = identity.services().addresses.confirm(_mine().actor(), token)
    except (InvalidInput, Duplicate) as error:
        return _refused(error)
    flash(_("Your address %(address)s is confirmed.", address=confirmed.email), "done")
    return redirect("/")


def _confirming(token: str) -> ResponseReturnValue:
    try:
        address = identity.services().addresses.asked(_mine().actor(), token)
    except InvalidInput as error:
        return _refused(error)
    return render_template("confirm_address.html", token=token, address=address, error="")


def _refused(error: CaError) -> ResponseReturnValue:
    return render_template("confirm_address.html", token="", address="", error=error.detail), status_of(error)


@blueprint.app_context_processor
def context() -> dict[str, object]:
    return {"address_waits": _waits, "addresses_confirmable": lambda: identity.services().addresses.confirmable}


def _waits() -> bool:
    me = identity.account()
    return me is not None and identity.services().addresses.waits(me)


def _mine() -> Account:
    """The account at the browser; NotFound where no letters go out."""
    if not identity.services().addresses.confirmable:
        raise NotFound("there is no such page")
    me = identity.account()
    if me is None:
        raise NotAuthenticated("log in first")
    return me
