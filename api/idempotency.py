"""``Idempotency-Key``: the same POST, sent again, gets the same answer and happens once."""

from __future__ import annotations

import hashlib
import json

from flask import Flask, Response, g, request

from ca_core.domain.errors import InvalidInput
from ca_core.services.idempotency import Idempotency

HEADER = "Idempotency-Key"
MAX_KEY = 128
"""Characters."""


def register(app: Flask, idempotency: Idempotency) -> None:
    @app.before_request
    def replay() -> Response | None:
        key = request.headers.get(HEADER)
        if request.method != "POST" or key is None or "actor" not in g:
            return None
        if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise InvalidInput(f"{HEADER} is 1 to {MAX_KEY} printable ASCII characters")
        digest = hashlib.sha256(b"\0".join((request.full_path.encode(), request.get_data()))).digest()
        remembered = idempotency.begin(g.actor, key, digest)
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
            if response.status_code < 500 and response.status_code != 429:
                body = json.dumps({"type": response.content_type, "body": response.get_data(as_text=True)})
                idempotency.finish(g.actor, key, status=response.status_code, body=body)
            else:
                # Nothing happened for good; the client may send the same key again.
                idempotency.abandon(g.actor, key)
        return response
