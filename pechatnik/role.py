"""What a server is asked to be."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a server is."""

    ALL = "all"
    """Everything that there is."""
    STATUS = "status"
    """A status node of another server: OCSP and lists, without keys and database."""
