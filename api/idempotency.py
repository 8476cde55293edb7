"""``Idempotency-Key``: the same POST, sent again, gets the same answer and happens once."""

from __future__ import annotations

import hashlib
import json

from flask import Flask, Response, g, request
from werkzeug.datastructures import FileStorage

from ca_core.domain.errors import InvalidInput
from ca_core.services.idempotency import Idempotency

HEADER = "Idempotency-Key"
MAX_KEY = 128
"""Characters."""
TRANSIENT = frozenset({412, 428, 429})
"""Refusals in which the request came to nothing: sent again, better or later, it may keep its key."""


def register(app: Flask, idempotency: Idempotency) -> None:
    @app.before_request
    def replay() -> Response | None:
        key = request.headers.get(HEADER)
        if request.method != "POST" or key is None or "actor" not in g:
            return None
        if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise InvalidInput(f"{HEADER} is 1 to {MAX_KEY} printable ASCII characters")
        remembered = idempotency.begin(g.actor, key, _request_sha256())
        if remembered is None:
            g.idempotency_key = key
            return None
        stored = json.loads(remembered.body)
        response = Response(stored["body"], remembered.status, content_type=stored["type"])
        response.headers["Idempotent-Replayed"] = "true"
        return response

    @app.after_request
    def remember(response: Response) -> Response:
        key = g.pop("idempotency_key", None)
        if key is not None:
            if response.status_code < 500 and response.status_code not in TRANSIENT:
                body = json.dumps({"type": response.content_type, "body": response.get_data(as_text=True)})
                idempotency.finish(g.actor, key, status=response.status_code, body=body)
            else:
                # Nothing happened for good; the client may send the same key again.
                idempotency.abandon(g.actor, key)
        return response


def _request_sha256() -> bytes:
    """Of all that says what is to happen: path and query, the version that was seen, the body."""
    if request.mimetype == "multipart/form-data":
        # By its parts, since a client draws a new boundary each time.
        body: object = [
            [[name, value] for name, value in request.form.items(multi=True)],
            [[name, file.filename, _content_sha256(file)] for name, file in request.files.items(multi=True)],
        ]
    else:
        body = hashlib.sha256(request.get_data()).hexdigest()
    said = json.dumps([request.full_path, request.headers.get("If-Match"), body])
    return hashlib.sha256(said.encode()).digest()


def _content_sha256(file: FileStorage) -> str:
    digest = hashlib.sha256(file.read()).hexdigest()
    file.seek(0)
    return digest
