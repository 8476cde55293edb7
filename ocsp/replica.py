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
    link: bytes


class Replica(AnswerStore):
    """Every change is one transaction together with the position that it leads to, or with how far copying has come: a
    node that is killed goes on where it was. While it copies nothing counts as heard, and nothing may be told.

    Tails keep the numbers that they have here, since processes that answer remember them; those of the core are
    another's after it was made anew."""

    def __init__(self, folder: Path, *, boot: str) -> None:
        """``boot`` names the time since the machine was started, by which it is told when the core was heard: another
        start begins another time."""
        super().__init__(folder)
        self._boot = boot
        self._place = self.environment.open_db(b"place")

    def position(self) -> Position | None:
        with self.transaction() as tx:
            found = tx.get(b"position", db=self._place)
        if found is None:
            return None
        epoch, number, link = bytes(found).decode().split(":")
        return Position(epoch, int(number), bytes.fromhex(link))

    def heard(self) -> float | None:
        """When the core was last asked for changes and there were no more, in seconds since this machine was started;
        None if it was not since then, and for a copy that is not whole."""
        with self.transaction() as tx:
            found = tx.get(b"heard", db=self._place)
        boot, _, seconds = ("" if found is None else bytes(found).decode()).rpartition(" ")
        return float(seconds) if boot == self._boot and seconds else None

    def copied_to(self) -> tuple[str, bytes] | None:
        """Shelf and key of the last answer that was copied; None when all are."""
        with self.transaction() as tx:
            found = tx.get(b"copied to", db=self._place)
        if found is None:
            return None
        shelf, _, key = bytes(found).partition(b" ")
        return shelf.decode(), key

    def begin(self, begun: Changes) -> None:
        """Forget everything, to copy anew from a position. The shelves are known from here on, so that what is left on
        them by a copy that was broken off is forgotten by the next."""
        handles = [self.database(shelf) for shelf in set(self.shelves().values())]
        prefixes = self._database(PREFIXES)
        with self.transaction(write=True) as tx:
            for handle in [self._place, prefixes, *handles]:
                tx.drop(handle, delete=False)
            for prefix, name in begun.shelves.items():
                tx.put(prefix, name.encode(), db=prefixes)
            self._put_position(tx, begun)
            tx.put(b"copied to", b" ", db=self._place)

    def put_stretch(self, shelf: str, stretch: Stretch) -> None:
        """The next answers of a shelf, while all are copied."""
        handles, numbers = self._handles(copy.shelf for copy in stretch.answers), self._numbers(stretch.tails)
        with self.transaction(write=True) as tx:
            _write(tx, stretch.answers, handles, numbers)
            if stretch.answers:
                tx.put(b"copied to", shelf.encode() + b" " + stretch.answers[-1].key, db=self._place)

    def copied(self) -> None:
        """All are; what changed meanwhile comes next."""
        with self.transaction(write=True) as tx:
            tx.delete(b"copied to", db=self._place)

    def take(self, changes: Changes, *, asked_at: float) -> None:
        """Bring the copy to where the changes lead. ``asked_at``, in seconds since the machine was started, is when
        they were asked for: when there are no more, all that the core had changed by then is in the copy."""
        handles = self._handles([*changes.emptied, *(copy.shelf for copy in changes.answers)])
        numbers, prefixes = self._numbers(changes.tails), self._database(PREFIXES)
        with self.transaction(write=True) as tx:
            for shelf in changes.emptied:
                tx.drop(handles[shelf], delete=False)
            _write(tx, changes.answers, handles, numbers)
            for prefix, name in changes.shelves.items():
                tx.put(prefix, name.encode(), db=prefixes)
            self._put_position(tx, changes)
            if not changes.more:
                tx.put(b"heard", f"{self._boot} {asked_at!r}".encode(), db=self._place)

    def _put_position(self, tx: lmdb.Transaction[bytes], changes: Changes) -> None:
        position = f"{changes.epoch}:{changes.number}:{changes.link.hex()}"
        tx.put(b"position", position.encode(), db=self._place)

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
