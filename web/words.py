"""What both sites call things, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_babel import gettext

from ca_core.domain.application import Application
from ca_core.domain.certificate import Certificate
from ca_core.domain.errors import NotFound
from web.identity import services
from web.language import localized


def said(sentence: str) -> str:
    """A sentence of the services, translated where a catalogue has it.

    Templates must not use ``_`` for these: it takes what it is given for markup and for a format."""
    return str(gettext(sentence)) if sentence else ""


def profile_label(of: Application | Certificate) -> str:
    """What the kind of certificate is called."""
    try:
        profile = services().profiles.pinned(of)
    except NotFound:
        return of.profile
    return localized(dict(profile.label)) or of.profile


def text_of(labels: Mapping[str, str], otherwise: str) -> str:
    """The label in the language of this request, or the bare name where there is none."""
    return localized(dict(labels)) or otherwise


def register(app: Flask) -> None:
    app.jinja_env.filters.update(said=said, profile_label=profile_label, text_of=text_of)
