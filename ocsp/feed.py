"""What a status node has to fetch to have every answer that stands ready here (ADR 16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ca_core.domain.access import Actor, Permission
from ca_core.domain.errors import NotFound, WrongState
from ca_core.domain.identifiers import Entropy
from ocsp.answers import AnswerStore

EPOCH_OCTETS = 16


@dataclass(frozen=True, kw_only=True)
class AnswerCopy:
    """An answer as it stands in the store, or that there is none any more."""

    shelf: str
    key: bytes
    """The content octets of the serial as a DER INTEGER."""
    record: bytes | None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that changed up to a number, as it is now."""

    epoch: str
    number: int
    link: bytes
    """Of the last of them; see :class:`~ocsp.change_log.Change`."""
    anew: bool = False
    """What the node has followed is not known here any more: it fetches every shelf, then what changed after
    ``number``."""
    more: bool = False
    """There are changes that did not fit."""
    shelves: Mapping[bytes, str]
    """Names of shelves by the beginning of a CertID."""
    tails: Mapping[int, bytes]
    """What goes behind answers."""
    emptied: Sequence[str] = ()
    """Shelves of which first everything is to be forgotten."""
    answers: Sequence[AnswerCopy] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Answers of one shelf in the order of their keys."""

    answers: Sequence[AnswerCopy]
    more: bool
    tails: Mapping[int, bytes]


class StatusFeed:
    """Gives changes to those who have the right to follow them; nothing in it is secret, but much of it is costly."""

    def __init__(self, store: AnswerStore | None, *, entropy: Entropy) -> None:
        """Without a store, where no answers are signed beforehand, there is nothing to follow: WrongState."""
        self._store = store
        self._entropy = entropy

    def changes(self, actor: Actor, *, epoch: str | None, after: int, link: bytes, limit: int) -> Changes:
        """What changed after the change of an epoch that has this number and link: at least one change, and no further
        one once there are ``limit`` answers."""
        store = self._followed(actor)
        shelves = store.shelves()
        handles = {shelf.name: store.database(shelf) for shelf in set(shelves.values())}
        names = {prefix: shelf.name.decode() for prefix, shelf in shelves.items()}
        with store.transaction() as tx:
            now = (store.changes.epoch(tx) or b"").hex()
            if epoch != now or not store.changes.knows(tx, after, link):
                number, link = store.changes.last(tx)
                return Changes(epoch=now, number=number, link=link, anew=True, shelves=names, tails={})
            number, more = after, False
            emptied: list[str] = []
            keys: dict[tuple[bytes, bytes], None] = {}
            for change in store.changes.after(tx, after):
                if len(keys) >= limit or change.shelf not in handles:  # a shelf that was added since comes next time
                    more = True
                    break
                number, link = change.number, change.link
                if not change.keys:
                    emptied.append(change.shelf.decode())
                keys |= dict.fromkeys((change.shelf, key) for key in change.keys)
            answers = [
                AnswerCopy(shelf=shelf.decode(), key=key, record=tx.get(key, db=handles[shelf])) for shelf, key in keys
            ]
        return Changes(
            epoch=now,
            number=number,
            link=link,
            more=more,
            shelves=names,
            tails=store.tails(),  # read last: a tail is there before an answer that names it
            emptied=emptied,
            answers=answers,
        )

    def stretch(self, actor: Actor, *, shelf: str, after: bytes, limit: int) -> Stretch:
        """The next ``limit`` answers of a shelf behind a key; from the first for no octets. NotFound for no shelf."""
        store = self._followed(actor)
        found = next((one for one in store.shelves().values() if one.name.decode() == shelf), None)
        if found is None:
            raise NotFound("there is no such shelf of answers")
        handle = store.database(found)
        with store.transaction() as tx, tx.cursor(handle) as cursor:
            there = cursor.set_range(after + b"\0") if after else cursor.first()
            rows = [
                AnswerCopy(shelf=shelf, key=bytes(key), record=bytes(record))
                for key, record in (islice(cursor, limit + 1) if there else ())
            ]
        return Stretch(answers=rows[:limit], more=len(rows) > limit, tails=store.tails())

    def _followed(self, actor: Actor) -> AnswerStore:
        actor.require(Permission.STATUS_FOLLOW)
        store = self._store
        if store is None:
            raise WrongState("status.presign is off: no answers stand ready that a status node could have")
        with store.transaction() as tx:
            followed = store.changes.epoch(tx) is not None
        if not followed:
            with store.transaction(write=True) as tx:
                store.changes.begin(tx, self._entropy(EPOCH_OCTETS))
        return store
