"""The cabinet's blueprint, and what its templates may ask for."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint
from flask_babel import gettext

from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import NotFound
from web.identity import services
from web.language import localized

blueprint = Blueprint(
    "portal", __name__, template_folder="templates", static_folder="static", static_url_path="/portal/static"
)


@blueprint.app_template_filter("said")
def said(sentence: str) -> str:
    """A sentence of the services in the language of this request, where it is translated."""
    return str(gettext(sentence)) if sentence else ""


@blueprint.app_template_filter("profile_label")
def profile_label(of: Application | Certificate) -> str:
    """What the kind of certificate is called."""
    try:
        profile = services().profiles.profile_version(of.profile, of.profile_version, of.profile_digest)
    except NotFound:
        return of.profile
    return localized(dict(profile.label)) or of.profile


def text_of(labels: Mapping[str, str], otherwise: str) -> str:
    """The label in the language of this request, or the bare name where there is none."""
    return localized(dict(labels)) or otherwise


blueprint.add_app_template_filter(text_of, "text_of")
