"""English, Russian, Arabic: the account's choice, else the session's, else the browser's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from babel import Locale
from flask import Blueprint, Flask, redirect, request, session
from flask_babel import Babel, format_datetime, get_locale
from werkzeug.wrappers import Response

from ca_core.domain.account import LANGUAGES
from web.redirects import safe_next

TRANSLATIONS = Path(__file__).with_name("translations")

blueprint = Blueprint("language", __name__)


def chosen() -> str:
    """The language of this request."""
    if (kept := session.get("language")) in LANGUAGES:
        return str(kept)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def direction() -> str:
    """``rtl`` or ``ltr``."""
    return str(get_locale().text_direction) if get_locale() else "ltr"


def moment(value: datetime | None) -> str:
    """A moment for people, with its zone."""
    return "" if value is None else f"{format_datetime(value, 'medium', rebase=False)} {value.strftime('%Z') or 'UTC'}"


def localized(labels: dict[str, str]) -> str:
    """The text of a label in the language of this request; English where there is none."""
    return labels.get(str(get_locale()), labels.get("en", next(iter(labels.values()), "")))


@blueprint.post("/language")
def choose() -> Response:
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    return redirect(safe_next(request.form.get("next")))


def register(app: Flask) -> None:
    Babel(
        app,
        default_locale="en",
        default_timezone="UTC",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=chosen,
    )
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        languages=LANGUAGES, direction=direction, current_language=lambda: str(get_locale() or Locale("en"))
    )
    app.jinja_env.filters.update(moment=moment, localized=localized)
