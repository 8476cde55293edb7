"""A status node's store of answers: a copy of the core's, and since when it is known to be one (ADR 16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import lmdb

from ocsp.answers import HEADER, PREFIXES, AnswerStore, Handle
from ocsp.feed import AnswerCopy, Changes, Stretch

FOLDER = "replica"
"""Where it is among a node's data."""


class Position(NamedTuple):
    """What of the core's changes is in the copy."""

    epoch: str
    number: int


class Replica(AnswerStore):
    """Every change is one transaction together with the position that it leads to: a node that is killed goes on where
    it was. Without a position the copy is not whole, and nothing of it may be told.

    Tails keep the numbers that they have here, since processes that answer remember them; those of the core are
    another's after it was made anew."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._place = self.environment.open_db(b"place")

    def position(self) -> Position | None:
        with self.transaction() as tx:
            found = tx.get(b"position", db=self._place)
        if found is None:
            return None
        epoch, _, number = bytes(found).decode().partition(":")
        return Position(epoch, int(number))

    def heard(self) -> float | None:
        """When the core was last asked for changes and there were no more, in seconds since 1970; None for a copy that
        is not whole."""
        with self.transaction() as tx:
            found = tx.get(b"heard", db=self._place)
        return None if found is None else float(bytes(found))

    def begin(self, shelves: Mapping[bytes, str]) -> None:
        """Forget everything, to begin anew with these shelves. They are known from here on, so that what a copy that
        was broken off left on them is forgotten by the next."""
        handles = [self.database(shelf) for shelf in set(self.shelves().values())]
        prefixes = self._database(PREFIXES)
        with self.transaction(write=True) as tx:
            for handle in [self._place, prefixes, *handles]:
                tx.drop(handle, delete=False)
            for prefix, name in shelves.items():
                tx.put(prefix, name.encode(), db=prefixes)

    def put_stretch(self, stretch: Stretch) -> None:
        """Answers of a copy that is not whole yet."""
        handles, numbers = self._handles(copy.shelf for copy in stretch.answers), self._numbers(stretch.tails)
        with self.transaction(write=True) as tx:
            _write(tx, stretch.answers, handles, numbers)

    def take(self, changes: Changes, *, asked_at: float) -> None:
        """Bring the copy to where the changes lead. ``asked_at``, in seconds since 1970, is when they were asked for:
        when there are no more, all that the core had changed by then is in the copy."""
        handles = self._handles([*changes.emptied, *(copy.shelf for copy in changes.answers)])
        numbers, prefixes = self._numbers(changes.tails), self._database(PREFIXES)
        with self.transaction(write=True) as tx:
            for shelf in changes.emptied:
                tx.drop(handles[shelf], delete=False)
            _write(tx, changes.answers, handles, numbers)
            for prefix, name in changes.shelves.items():
                tx.put(prefix, name.encode(), db=prefixes)
            tx.put(b"position", f"{changes.epoch}:{changes.number}".encode(), db=self._place)
            if not changes.more:
                tx.put(b"heard", repr(asked_at).encode(), db=self._place)

    def _handles(self, shelves: Iterable[str]) -> Mapping[str, Handle]:
        return {shelf: self._database(shelf.encode()) for shelf in set(shelves)}

    def _numbers(self, tails: Mapping[int, bytes]) -> Mapping[int, int]:
        """The core's numbers of tails to those that they have here."""
        return {number: self.tail(tail) for number, tail in tails.items()}


def _write(
    tx: lmdb.Transaction[bytes],
    copies: Iterable[AnswerCopy],
    handles: Mapping[str, Handle],
    numbers: Mapping[int, int],
) -> None:
    for copy in copies:
        if copy.record is None:
            tx.delete(copy.key, db=handles[copy.shelf])
        else:
            this_update, next_update, tail = HEADER.unpack_from(copy.record)
            header = HEADER.pack(this_update, next_update, numbers[tail])
            tx.put(copy.key, header + copy.record[HEADER.size :], db=handles[copy.shelf])
