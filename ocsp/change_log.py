"""What changed in the store of answers, in turn, for the status nodes that follow it (ADR 16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import lmdb

KEPT = 20_000
"""Changes that are remembered; whoever missed more begins anew."""

_EPOCH = b"epoch"


class Change(NamedTuple):
    """One transaction of the store over one shelf."""

    number: int
    shelf: bytes
    keys: Sequence[bytes]
    """Of the answers that were put or forgotten; none when the whole shelf was emptied."""


class ChangeLog:
    """Numbers changes within the transactions of LMDB that make them, so a reader's snapshot has exactly the changes
    that it has numbers for. Without an epoch nobody follows, and nothing is noted."""

    def __init__(self, environment: lmdb.Environment) -> None:
        self._rows = environment.open_db(b"changes")
        self._head = environment.open_db(b"following")

    def begin(self, tx: lmdb.Transaction[bytes], epoch: bytes) -> None:
        """Note changes from now on."""
        tx.put(_EPOCH, epoch, db=self._head, overwrite=False)

    def epoch(self, tx: lmdb.Transaction[bytes]) -> bytes | None:
        """Which sequence of numbers this is: another store, or one made anew, has another."""
        found = tx.get(_EPOCH, db=self._head)
        return None if found is None else bytes(found)

    def note(self, tx: lmdb.Transaction[bytes], shelf: bytes, keys: Sequence[bytes]) -> None:
        if self.epoch(tx) is None:
            return
        number = self.last(tx) + 1
        row = b"".join([bytes([len(shelf)]), shelf, *(bytes([len(key)]) + key for key in keys)])
        tx.put(_name(number), row, db=self._rows, append=True)
        with tx.cursor(self._rows) as cursor:
            if cursor.first() and int.from_bytes(cursor.key()) <= number - KEPT:
                cursor.delete()

    def last(self, tx: lmdb.Transaction[bytes]) -> int:
        """The number of the newest change; 0 before the first."""
        with tx.cursor(self._rows) as cursor:
            return int.from_bytes(cursor.key()) if cursor.last() else 0

    def follows(self, tx: lmdb.Transaction[bytes], number: int) -> bool:
        """Whether all that changed after that number is still known."""
        with tx.cursor(self._rows) as cursor:
            oldest = int.from_bytes(cursor.key()) if cursor.first() else 1
        return oldest - 1 <= number <= self.last(tx)

    def after(self, tx: lmdb.Transaction[bytes], number: int) -> Iterator[Change]:
        with tx.cursor(self._rows) as cursor:
            if cursor.set_range(_name(number + 1)):
                for name, row in cursor:
                    yield Change(int.from_bytes(name), *_parts(bytes(row)))


def _name(number: int) -> bytes:
    return number.to_bytes(8)


def _parts(row: bytes) -> tuple[bytes, Sequence[bytes]]:
    shelf, *keys = _fields(row)
    return shelf, keys


def _fields(row: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(row):
        end = at + 1 + row[at]
        yield row[at + 1 : end]
        at = end
