"""Which application answers which paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Router:
    """Sends a request to the application whose prefix its path has; paths are not rewritten."""

    def __init__(self, routes: tuple[tuple[str, WSGIApplication], ...], default: WSGIApplication) -> None:
        self._routes = routes
        self._default = default

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        for prefix, application in self._routes:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
                return application(environ, start_response)
        return self._default(environ, start_response)
