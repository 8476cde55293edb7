"""Where to go after a form: only to pages of our own."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_next(target: str | None, default: str = "/") -> str:
    """The target if it is a path on this site, else the default: no open redirect."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return default
    try:
        parts = urlsplit(target)
    except ValueError:  # what is no address at all
        return default
    return default if parts.scheme or parts.netloc or any(ord(char) < 32 for char in target) else target
