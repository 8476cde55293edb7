"""Who uses the cabinet."""

from __future__ import annotations

from dataclasses import replace

from ca_core.domain.access import Actor, Role
from ca_core.domain.errors import NotPermitted
from web import identity

PAGE = 20
"""Rows on a page of a list."""


def subscriber() -> Actor:
    """The caller as a subscriber alone: whoever is staff as well sees and does only his own things here."""
    actor = identity.actor()
    if Role.SUBSCRIBER not in actor.roles:
        raise NotPermitted("the cabinet is for subscribers; staff work at /admin/")
    return replace(actor, roles=frozenset({Role.SUBSCRIBER}), centres=frozenset())
