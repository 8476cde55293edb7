"""The revocation of many certificates at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from ca_core.domain.access import Visibility
from ca_core.domain.identifiers import Serial
from ca_core.domain.mass_revocation import Chosen, MassRevocation, Selection
from ca_core.services.ports.rows import Rows


class MassRevocations(Rows[MassRevocation], Protocol):
    def choose(self, selection: Selection, *, seen_by: Visibility, with_their_keys: bool) -> Sequence[Chosen]:
        """By identifier; ``with_their_keys`` also all others with one of their keys."""
        ...

    def add_members(self, id: UUID, chosen: Sequence[Chosen]) -> None:
        """Keep which certificates they are, in their order; before it is approved."""
        ...

    def members(self, id: UUID) -> Iterator[tuple[UUID, Serial]]:
        """In their order."""
        ...

    def all(self) -> Sequence[MassRevocation]:
        """Newest first."""
        ...

    def alone(self, id: UUID) -> MassRevocation:
        """The row; whoever else asks for it so waits until this transaction ends."""
        ...

    def revoke_next(self, mass: MassRevocation, count: int) -> Sequence[Chosen]:
        """Revoke so many after the first ``done`` members by one statement; returns those that were not revoked yet,
        in the state that they were in."""
        ...

    def passed_over(self, mass: MassRevocation) -> Sequence[Serial]:
        """The first of the ``done`` members that is neither revoked nor given up; there should be none."""
        ...

    def scopes(self, id: UUID) -> Sequence[tuple[UUID, int]]:
        """Issuers and partitions of all members."""
        ...

    def active_over_keys_of(self, id: UUID) -> Sequence[UUID]:
        """Certificates over a key of one of the members that are issued or held."""
        ...
