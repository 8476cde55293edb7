"""Request bodies before any schema sees them: their media type, their size, and that they are JSON at all."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

UPLOADS = frozenset({"documents.attach"})
"""Endpoints that take ``multipart/form-data``; all others take JSON."""


def register(app: Flask, *, max_json: int) -> None:
    """Refuse what is no body of this API. ``max_json`` in octets; uploads have the application's own limit."""

    @app.before_request
    def read() -> None:
        if request.endpoint is None or request.endpoint in UPLOADS:
            if request.endpoint is not None and request.mimetype != "multipart/form-data":
                raise UnsupportedMediaType("send the document as multipart/form-data")
            return
        # Not the declared length alone: a chunked body declares none. One octet more than allowed is enough to tell.
        if (request.content_length or 0) > max_json or len(request.get_data()) > max_json:
            raise RequestEntityTooLarge(f"a JSON body has at most {max_json} octets")
        if not request.get_data():
            return
        if not request.is_json:
            raise UnsupportedMediaType("send the body as application/json")
        try:
            body = request.get_json()
        except RecursionError as error:
            raise BadRequest("the JSON is nested too deeply") from error
        if not isinstance(body, dict):
            raise BadRequest("the body is a JSON object")
