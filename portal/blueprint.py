"""The cabinet's blueprint."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "portal", __name__, template_folder="templates", static_folder="static", static_url_path="/portal/static"
)
