"""Fetching a row the way callers name it, at the version they saw."""

from __future__ import annotations

from typing import Protocol, TypeVar
from uuid import UUID

from ca_core.domain.access import Actor
from ca_core.domain.application import Application
from ca_core.domain.errors import StaleVersion
from ca_core.services.ports import Transaction


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=_Versioned)


def unless_stale(row: V, version: int | None) -> V:
    """The row, if it is still at the version that the caller decided on; None takes any."""
    if version is not None and row.version != version:
        raise StaleVersion("somebody changed this since you read it; look at it again, then decide")
    return row


def application_by(tx: Transaction, actor: Actor, id: UUID | str) -> Application:
    """By id or by number."""
    if isinstance(id, UUID):
        return tx.applications.get(id, seen_by=actor.visibility)
    return tx.applications.by_number(id, seen_by=actor.visibility)
