"""What changed in the store of answers, in turn, for the status nodes that follow it (ADR 16)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import lmdb

KEPT = 20_000
"""Changes that are remembered; whoever missed more begins anew."""

LINK = 16
"""Octets."""

_EPOCH = b"epoch"


class Change(NamedTuple):
    """One transaction of the store over one shelf."""

    number: int
    link: bytes
    """What this change and all before it come to: a store that was set back and went on otherwise gives the same
    numbers again, and other links."""
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

    def note(self, tx: lmdb.Transaction[bytes], shelf: bytes, changed: Mapping[bytes, bytes]) -> None:
        """``changed``: records by their keys, empty for what is forgotten; none when the shelf was emptied."""
        if self.epoch(tx) is None:
            return
        number, link = self.last(tx)
        digest = hashlib.sha256(link + shelf)
        for key, record in changed.items():
            digest.update(key + hashlib.sha256(record).digest())
        fields = (digest.digest()[:LINK], shelf, *changed)
        number += 1
        tx.put(_name(number), b"".join([bytes([len(one)]) + one for one in fields]), db=self._rows, append=True)
        with tx.cursor(self._rows) as cursor:
            if cursor.first() and int.from_bytes(cursor.key()) <= number - KEPT:
                cursor.delete()

    def last(self, tx: lmdb.Transaction[bytes]) -> tuple[int, bytes]:
        """Number and link of the newest change; 0 and nothing before the first."""
        with tx.cursor(self._rows) as cursor:
            if not cursor.last():
                return 0, b""
            return int.from_bytes(cursor.key()), _parts(bytes(cursor.value()))[0]

    def knows(self, tx: lmdb.Transaction[bytes], number: int, link: bytes) -> bool:
        """Whether that change was made here, and all that came after it is still known."""
        if number == 0:
            return not link and (self.last(tx)[0] == 0 or tx.get(_name(1), db=self._rows) is not None)
        row = tx.get(_name(number), db=self._rows)
        return row is not None and _parts(bytes(row))[0] == link

    def after(self, tx: lmdb.Transaction[bytes], number: int) -> Iterator[Change]:
        with tx.cursor(self._rows) as cursor:
            if cursor.set_range(_name(number + 1)):
                for name, row in cursor:
                    yield Change(int.from_bytes(name), *_parts(bytes(row)))


def _name(number: int) -> bytes:
    return number.to_bytes(8)


def _parts(row: bytes) -> tuple[bytes, bytes, Sequence[bytes]]:
    link, shelf, *keys = _fields(row)
    return link, shelf, keys


def _fields(row: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(row):
        end = at + 1 + row[at]
        yield row[at + 1 : end]
        at = end
