"""A status node's copies of revocation lists and issuers' certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.status import IssuerOut, ListOut, PublishedOut
from ca_core.domain.errors import TryAgain
from ca_core.services.certificate_content import urls_of
from ocsp.replica import Replica


@dataclass(frozen=True, kw_only=True)
class ListCopy:
    """A list without its bytes."""

    sha256: bytes
    this_update: datetime
    next_update: datetime


class CopiedLists:
    """What lay at the addresses of the core when it was last asked; they lie beside the copied answers."""

    def __init__(self, replica: Replica, *, clock: Callable[[], float]) -> None:
        """``clock`` tells seconds since 1970."""
        self._replica = replica
        self._clock = clock
        open_db = replica.environment.open_db
        self._heads, self._bodies, self._issuers = (open_db(name) for name in (b"lists", b"list bodies", b"issuers"))

    def current(self, key_identifier: str, partition: int, *, delta: bool = False) -> tuple[ListCopy, timedelta] | None:
        """See :class:`crl.wsgi.Lists`."""
        urls = urls_of(bytes.fromhex(key_identifier), base="", partition=partition)
        path = urls["freshest_crl" if delta else "crl"]
        with self._replica.transaction() as tx:
            found = tx.get(path.encode(), db=self._heads)
        if found is None:
            return None
        head = ListOut.model_validate_json(found)
        copy = ListCopy(sha256=bytes.fromhex(head.sha256), this_update=head.this_update, next_update=head.next_update)
        return copy, head.next_update - datetime.fromtimestamp(self._clock(), UTC)

    def bytes_of(self, crl: ListCopy) -> bytes:
        """TryAgain when another list has taken its place meanwhile."""
        with self._replica.transaction() as tx:
            found = tx.get(crl.sha256, db=self._bodies)
        if found is None:
            raise TryAgain("another list has just taken its place", retry_after=1)
        return bytes(found)

    def issuer(self, key_identifier: str) -> IssuerOut | None:
        path = urls_of(bytes.fromhex(key_identifier), base="", partition=0)["ca_issuers"]
        with self._replica.transaction() as tx:
            found = tx.get(path.encode(), db=self._issuers)
        return None if found is None else IssuerOut.model_validate_json(found)

    def has(self, one: ListOut) -> bool:
        with self._replica.transaction() as tx:
            return tx.get(bytes.fromhex(one.sha256), db=self._bodies) is not None

    def put(self, one: ListOut, der: bytes) -> None:
        """A list, at its address from now on."""
        with self._replica.transaction(write=True) as tx:
            tx.put(bytes.fromhex(one.sha256), der, db=self._bodies)
            tx.put(one.path.encode(), one.model_dump_json().encode(), db=self._heads)

    def keep(self, published: PublishedOut) -> None:
        """Give up what is not published any more, and have the certificates that are."""
        issuers = {one.path.encode(): one.model_dump_json().encode() for one in published.issuers}
        paths = {one.path.encode() for issuer in published.issuers for one in issuer.lists}
        with self._replica.transaction() as tx:
            heads = {bytes(path): ListOut.model_validate_json(head) for path, head in tx.cursor(self._heads)}
            bodies = {bytes(name) for name in tx.cursor(self._bodies).iternext(values=False)}
            known = {bytes(path): bytes(issuer) for path, issuer in tx.cursor(self._issuers)}
        unused = bodies - {bytes.fromhex(head.sha256) for path, head in heads.items() if path in paths}
        stale = [(path, self._heads) for path in heads.keys() - paths]
        stale += [(name, self._bodies) for name in unused]
        stale += [(path, self._issuers) for path in known.keys() - issuers.keys()]
        if not stale and known == issuers:
            return
        with self._replica.transaction(write=True) as tx:
            for key, table in stale:
                tx.delete(key, db=table)
            for path, issuer in issuers.items():
                tx.put(path, issuer, db=self._issuers)
