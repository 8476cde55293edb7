"""Invariant 13: each way of reading shows exactly what the caller may see, and the rest reads like nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Visibility
from ca_core.domain.errors import NotFound

LOOKERS: dict[str, Callable[[Any], Visibility]] = {
    "nobody": lambda w: Visibility(),
    "owner": lambda w: Visibility(owner=w.anna),
    "stranger": lambda w: Visibility(owner=w.carla),
    "own centre": lambda w: Visibility(centres=frozenset({w.here})),
    "other centre": lambda w: Visibility(centres=frozenset({w.there})),
    "operator with requests of his own": lambda w: Visibility(owner=w.boris, centres=frozenset({w.here})),
    "both centres": lambda w: Visibility(centres=frozenset({w.here, w.there})),
    "everything": lambda w: EVERYTHING,
}


class World:
    """Anna's and Boris's requests in two centres each, and a certificate of the authority's own."""

    def __init__(self, shelf: Any) -> None:
        self.here, self.there = shelf.centre("HERE"), shelf.centre("THERE")
        self.anna, self.boris, self.carla = (shelf.account(name) for name in ("anna", "boris", "carla"))
        self.applications = [
            shelf.application(owner, centre) for owner in (self.anna, self.boris) for centre in (self.here, self.there)
        ]
        self.documents = [(one, shelf.document(one)) for one in self.applications]
        self.certificates = [shelf.intent(owner=one.owner, centre=one.centre) for one in self.applications]
        self.certificates.append(shelf.intent())
        self.accounts = [self.anna, self.boris, self.carla]


@pytest.fixture
def world(shelf: Any) -> World:
    return World(shelf)


def test_invariant_13_every_read_shows_exactly_what_is_visible(shelf: Any, world: World) -> None:
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        reads: list[tuple[Callable[..., Any], object, UUID, UUID, UUID | None]] = []
        for one in world.applications:
            reads.append((tx.applications.get, one.id, one.id, one.owner, one.centre))
            reads.append((tx.applications.by_number, one.number, one.id, one.owner, one.centre))
        for application, document in world.documents:
            reads.append((tx.documents.get, document.id, document.id, application.owner, application.centre))
        for one in world.certificates:
            reads.append((tx.certificates.get, one.id, one.id, one.owner, one.centre))
            reads.append((tx.certificates.by_serial, one.serial, one.id, one.owner, one.centre))
        for account in world.accounts:
            reads.append((tx.accounts.get, account, account, account, None))
        for name, look in LOOKERS.items():
            seen_by = look(world)
            for read, asked, found, owner, centre in reads:
                if seen_by.covers(owner=owner, centre=centre):
                    assert read(asked, seen_by=seen_by).id == found, name
                else:
                    with pytest.raises(NotFound):
                        read(asked, seen_by=seen_by)


def test_invariant_13_lists_and_counts_hold_exactly_what_is_visible(shelf: Any, world: World) -> None:
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for name, look in LOOKERS.items():
            seen_by = look(world)
            for stored, find in (
                (world.applications, tx.applications.find),
                (world.certificates, tx.certificates.find),
            ):
                expected = [one.id for one in stored if seen_by.covers(owner=one.owner, centre=one.centre)]
                assert sorted(one.id for one in find(seen_by=seen_by).items) == sorted(expected), name
                some = [one.id for one in find(seen_by=seen_by, text="somebody", limit=1).items]
                assert set(some) <= set(expected), name
            expected = [one for one in world.applications if seen_by.covers(owner=one.owner, centre=one.centre)]
            assert tx.applications.count(seen_by=seen_by) == len(expected), name
            assert tx.applications.count(seen_by=seen_by, states=("draft",)) == len(expected), name
            due = tx.applications.find(seen_by=seen_by, order="due").items
            assert sorted(one.id for one in due) == sorted(one.id for one in expected), name


def test_invariant_13_what_is_hidden_reads_like_what_is_not_there(shelf: Any, world: World) -> None:
    hidden = Visibility(owner=world.carla)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for rows, id in (
            (tx.applications, world.applications[0].id),
            (tx.documents, world.documents[0][1].id),
            (tx.certificates, world.certificates[0].id),
            (tx.accounts, world.anna),
        ):
            with pytest.raises(NotFound) as not_shown:
                rows.get(id, seen_by=hidden)
            with pytest.raises(NotFound) as not_there:
                rows.get(tx.new_id(), seen_by=EVERYTHING)
            assert not_shown.value.detail == not_there.value.detail
