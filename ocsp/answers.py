"""Answers that were signed beforehand, in one memory-mapped file that many processes read without copying it (LMDB).

The store is a cache beside the database: losing it costs signatures, never the truth. What keeps it true is the order
of two writers. Whoever signs beforehand puts an answer here while it holds the certificate's row, unchanged, in a
transaction; whoever changes the row forgets the answer here before that transaction commits. So an answer that is
found was right when the last transaction over its certificate committed (invariant 10).
"""

from __future__ import annotations

import struct
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import lmdb

from ca_core.domain.errors import TryAgain
from ca_core.domain.identifiers import Serial
from ocsp.change_log import ChangeLog
from ocsp.composing import Signed

FOLDER = "ocsp"
"""Where the store is among an installation's data."""
MAP_SIZE = 64 * 1024**3
"""Octets that the file may grow to; it takes only those that are used. 10 million answers take about 3 GiB."""
DATABASES = 1024
"""Issuers times digests of CertIDs."""
READERS = 4096
"""Threads, of all processes together, that have read from the store."""
HEADER = struct.Struct(">IIH")
"""thisUpdate and nextUpdate in seconds since 1970, and which tail goes behind."""

Handle = lmdb._Database
"""LMDB's name for one table of the file."""
PREFIXES, _TAILS = b"prefixes", b"tails"
_opening = threading.Lock()
_opened: weakref.WeakValueDictionary[Path, lmdb.Environment] = weakref.WeakValueDictionary()


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where the answers of one issuer stand, for CertIDs of one digest."""

    issuer: UUID
    digest: str

    @property
    def name(self) -> bytes:
        return f"{self.issuer.hex}:{self.digest}".encode()


class AnswerStore:
    """The store of one installation. Every change has reached the disk when the call returns."""

    def __init__(self, folder: Path) -> None:
        """Opens it, or makes an empty one; one process opens a file once, however many stores look into it."""
        folder = folder.resolve()
        with _opening:
            environment = _opened.get(folder)
            if environment is None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                environment = lmdb.open(
                    str(folder), map_size=MAP_SIZE, max_dbs=DATABASES, mode=0o600, max_readers=READERS
                )
                _opened[folder] = environment
        self.environment: lmdb.Environment = environment
        self.changes = ChangeLog(environment)
        self._databases: dict[bytes, Handle] = {}

    def database(self, shelf: Shelf) -> Handle:
        """LMDB's handle; made where it is not there yet."""
        return self._database(shelf.name)

    def shelves(self) -> Mapping[bytes, Shelf]:
        """Shelves by the beginning of a CertID: its digest and both hashes, as DER."""
        handle = self._database(PREFIXES)
        with self.transaction() as tx:
            found = {bytes(prefix): bytes(name).decode() for prefix, name in tx.cursor(handle)}
        parts = {prefix: name.partition(":") for prefix, name in found.items()}
        return {prefix: Shelf(issuer=UUID(hex=issuer), digest=digest) for prefix, (issuer, _, digest) in parts.items()}

    def add_shelf(self, shelf: Shelf, prefix: bytes) -> None:
        """Say which CertIDs it is for; nothing is written when that is known."""
        handle = self._database(PREFIXES)
        with self.transaction() as tx:
            if tx.get(prefix, db=handle) == shelf.name:
                return
        with self.transaction(write=True) as tx:
            tx.put(prefix, shelf.name, db=handle)

    def tails(self) -> Mapping[int, bytes]:
        """What goes behind an answer, by its number: the certificates that a client needs to check it."""
        handle = self._database(_TAILS)
        with self.transaction() as tx:
            return {int.from_bytes(number): bytes(tail) for number, tail in tx.cursor(handle)}

    def tail(self, certificates: bytes) -> int:
        """The number of that tail, given it is one."""
        known = {tail: number for number, tail in self.tails().items()}
        if certificates in known:
            return known[certificates]
        handle = self._database(_TAILS)
        with self.transaction(write=True) as tx:
            with tx.cursor(handle) as cursor:
                number = int.from_bytes(cursor.key()) + 1 if cursor.last() else 1
            tx.put(number.to_bytes(2), certificates, db=handle)
        return number

    def put(self, shelf: Shelf, answers: Iterable[tuple[Serial, Signed]], *, tail: int) -> None:
        """Only within a transaction that holds the certificates' rows as they were when the answers were signed."""
        handle = self._database(shelf.name)
        with self.transaction(write=True) as tx:
            changed = {}
            for serial, signed in answers:
                times = int(signed.this_update.timestamp()), int(signed.next_update.timestamp())
                key = key_of(serial)
                changed[key] = HEADER.pack(*times, tail) + signed.der
                tx.put(key, changed[key], db=handle)
            if changed:
                self.changes.note(tx, shelf.name, changed)

    def updated(self, shelf: Shelf, serials: Iterable[Serial]) -> Iterator[datetime | None]:
        """thisUpdate of each of them in turn; None where there is no answer."""
        handle = self._database(shelf.name)
        with self.transaction() as tx:
            for serial in serials:
                found = tx.get(key_of(serial), db=handle)
                yield None if found is None else datetime.fromtimestamp(HEADER.unpack_from(found)[0], UTC)

    def forget(self, certificates: Collection[tuple[UUID, Serial]], issuers: Collection[UUID] = ()) -> None:
        """See :class:`ca_core.services.ports.StatusAnswers`. Writes nothing where there is nothing."""
        shelves = set(self.shelves().values())
        handles = {shelf.name: self._database(shelf.name) for shelf in shelves}
        emptied = [shelf.name for shelf in shelves if shelf.issuer in issuers]
        named = {
            shelf.name: [key_of(serial) for issuer, serial in certificates if issuer == shelf.issuer]
            for shelf in shelves
        }
        with self.transaction() as tx:
            stale = {
                name: found
                for name, keys in named.items()
                if (found := [key for key in keys if tx.get(key, db=handles[name]) is not None])
            }
        if not stale and not emptied:
            return
        with self.transaction(write=True) as tx:
            for name in emptied:
                tx.drop(handles[name], delete=False)
                self.changes.note(tx, name, {})
            for name, keys in stale.items():
                for key in keys:
                    tx.delete(key, db=handles[name])
                self.changes.note(tx, name, dict.fromkeys(keys, b""))

    def clear(self) -> None:
        """Forget every answer."""
        self.forget((), [shelf.issuer for shelf, answers in self.counts().items() if answers])

    def counts(self) -> Mapping[Shelf, int]:
        """How many answers stand on each shelf."""
        handles = {shelf: self._database(shelf.name) for shelf in set(self.shelves().values())}
        with self.transaction() as tx:
            return {shelf: tx.stat(handle)["entries"] for shelf, handle in handles.items()}

    def keys(self, shelf: Shelf, *, batch: int) -> Iterator[Sequence[bytes]]:
        """What :func:`key_of` says of every answer on a shelf, in batches: a long look would keep LMDB from using again
        what is forgotten meanwhile."""
        handle = self._database(shelf.name)
        after = b""
        while True:
            with self.transaction() as tx, tx.cursor(handle) as cursor:
                there = cursor.set_range(after) if after else cursor.first()
                found = list(islice(cursor.iternext(values=False), batch)) if there else []
            if not found:
                return
            yield found
            after = found[-1] + b"\0"

    def _database(self, name: bytes) -> Handle:
        if name not in self._databases:
            self._databases[name] = self.environment.open_db(name)
        return self._databases[name]

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[lmdb.Transaction[bytes]]:
        """One view of the store. TryAgain when it cannot be had or kept: the disk is full, or too many read."""
        try:
            with self._begin(write=write) as tx:
                yield tx
        except lmdb.Error as error:
            raise TryAgain(f"the store of signed answers is out of reach: {type(error).__name__}") from None

    def _begin(self, *, write: bool) -> lmdb.Transaction[bytes]:
        try:
            return self.environment.begin(write=write, buffers=False)
        except lmdb.ReadersFullError:
            self.environment.reader_check()  # those that were killed keep their places until somebody looks
            return self.environment.begin(write=write, buffers=False)


def key_of(serial: Serial) -> bytes:
    """The content octets of the serial as a DER INTEGER, which is what a CertID holds."""
    return serial.value.to_bytes(serial.value.bit_length() // 8 + 1)
