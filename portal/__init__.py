"""The subscriber's cabinet: apply, send documents, make a key, get the certificate, report a token lost."""

from __future__ import annotations

from flask import Flask

from portal import applications, applying, certificates, documents, loss, overview, requests
from portal.blueprint import blueprint

__all__ = ["register"]

PAGES = (overview, applications, applying, documents, requests, certificates, loss)
"""The modules whose views hang on the blueprint."""


def register(site: Flask) -> None:
    """Put the cabinet's pages on the site, at ``/``."""
    site.register_blueprint(blueprint)
