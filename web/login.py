"""Log-in, log-out, registration and the second factor."""

from __future__ import annotations

import segno
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from ca_core.domain.account import Account
from ca_core.domain.errors import InvalidInput, NotAuthenticated, NotPermitted
from web import identity
from web.limits import LOGIN, REGISTER, limiter
from web.redirects import safe_next

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def log_in() -> ResponseReturnValue:
    return render_template("login.html", next=safe_next(request.args.get("next")), error="")


@blueprint.post("/login")
@limiter.limit(LOGIN)
def log_in_submit() -> ResponseReturnValue:
    target = safe_next(request.form.get("next"))
    try:
        account = identity.services().accounts.log_in(
            email=request.form.get("email", ""),
            password=request.form.get("password", ""),
            totp=request.form.get("totp") or None,
            source=identity.source(),
        )
    except (NotAuthenticated, NotPermitted) as error:
        return render_template("login.html", next=target, error=error.detail), 401
    identity.begin(account)
    if account.is_staff and account.totp_sealed is None:
        return redirect(url_for("login.second_factor"))
    return redirect(target if target != "/" or not account.is_staff else "/admin/")


@blueprint.post("/logout")
def log_out() -> ResponseReturnValue:
    identity.end()
    return redirect(url_for("login.log_in"))


@blueprint.get("/register")
def register() -> ResponseReturnValue:
    return render_template("register.html", error="", fields={})


@blueprint.post("/register")
@limiter.limit(REGISTER)
def register_submit() -> ResponseReturnValue:
    form = request.form
    try:
        identity.services().accounts.register(
            email=form.get("email", ""),
            name=form.get("name", ""),
            password=form.get("password", ""),
            language=str(get_locale() or "en"),
        )
    except InvalidInput as error:
        return render_template("register.html", error=error.detail, fields=error.fields), 422
    # The same words whether the address was new or known: nobody learns who has an account here.
    return render_template("registered.html")


@blueprint.get("/password")
def password() -> ResponseReturnValue:
    if identity.account() is None:
        raise NotAuthenticated("log in first")
    return render_template("password.html", error="", fields={})


@blueprint.post("/password")
@limiter.limit(LOGIN)
def password_submit() -> ResponseReturnValue:
    """The owner changes it; whoever else is logged in to the account is out."""
    account = identity.account()
    if account is None:
        raise NotAuthenticated("log in first")
    form = request.form
    try:
        identity.services().accounts.change_password(
            account.actor(), current=form.get("current", ""), new=form.get("new", ""), source=identity.source()
        )
    except (InvalidInput, NotAuthenticated) as error:
        return render_template("password.html", error=error.detail, fields=error.fields), 422
    identity.end()
    return redirect(url_for("login.log_in"))


@blueprint.get("/second-factor")
def second_factor() -> ResponseReturnValue:
    """Set up an authenticator application: its secret is shown once, until a code from it was given."""
    account = identity.account()
    if account is None:
        raise NotAuthenticated("log in first")
    if account.totp_sealed is not None:
        return redirect("/")
    secret, _ = identity.services().accounts.enrol_totp(account.actor())
    return _second_factor_page(account, secret)


@blueprint.post("/second-factor")
@limiter.limit(LOGIN)
def second_factor_submit() -> ResponseReturnValue:
    account = identity.account()
    if account is None:
        raise NotAuthenticated("log in first")
    # The form brings the secret back, so that nothing keeps it in the clear before a code showed that it is in use.
    secret = request.form.get("secret", "")
    try:
        identity.services().accounts.confirm_totp(account.actor(), secret, request.form.get("code", ""))
    except InvalidInput as error:
        return _second_factor_page(account, secret, error.detail), 422
    return redirect("/admin/" if account.is_staff else "/")


def _second_factor_page(account: Account, secret: str, error: str = "") -> str:
    picture = segno.make(identity.services().accounts.totp_uri(account.actor(), secret), micro=False)
    return render_template("second_factor.html", secret=secret, picture=picture.svg_data_uri(scale=4), error=error)


@blueprint.app_context_processor
def context() -> dict[str, object]:
    """What every page may ask for."""
    return {"account": identity.account, "may": identity.may, "gettext": gettext}
