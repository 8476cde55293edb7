"""Which names we are served under: what else a ``Host`` says would end up in redirects, and in a shared cache."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest

REFUSAL = "this site is not served under that name; use the address that you were given"
THIS_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")


def names(public_url: str, others: Collection[str]) -> frozenset[str]:
    """The host of the public address, with its port unless it is the usual one, and the others."""
    parts = urlsplit(public_url)
    usual = ":443" if parts.scheme == "https" else ":80"
    return frozenset(name.lower() for name in (parts.netloc.removesuffix(usual), *others))


def serves(served: Collection[str], host: str) -> bool:
    """Whether that is one of our names, or this machine. Werkzeug's own list of trusted hosts looks at no port and
    knows no IPv6 address."""
    host = host.lower()
    return host in served or THIS_MACHINE.fullmatch(host) is not None


def register(app: Flask, served: Collection[str]) -> None:
    """To be registered first."""

    @app.before_request
    def refuse_other_names() -> None:
        if not serves(served, request.host):
            raise BadRequest(REFUSAL)
