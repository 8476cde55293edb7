"""Documents whose time is over: their data keys are destroyed, the record that they existed stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.document import Document
from ca_core.domain.errors import NotFound
from ca_core.services.ports import ObjectStore, Profiles, Transaction, Transactions

BATCH = 200
"""Documents that one transaction destroys at most."""
UNCLAIMED_AFTER = timedelta(days=1)
"""No upload takes that long: an older file without a row belongs to one that was cut off."""


class Retention:
    """Run by the worker once a day; a round that is cut off goes on the next time."""

    def __init__(self, transactions: Transactions, profiles: Profiles, *, store: ObjectStore) -> None:
        self._transactions = transactions
        self._profiles = profiles
        self._store = store

    def tick(self) -> int:
        """Returns how many documents were destroyed."""
        return sum(self._end(pack.name, pack.retention) for pack in self._profiles.packs if pack.retention is not None)

    def sweep(self) -> int:
        """Remove sealed files that no row knows, as interrupted uploads leave them; returns how many."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            now = tx.now
            strays = list(self._store.orphans(lambda object_id: _is_known(tx, object_id), before=now - UNCLAIMED_AFTER))
        for id in strays:
            self._store.destroy(id)
        return len(strays)

    def _end(self, pack: str, kept_for: timedelta) -> int:
        count = 0
        while ended := self._end_batch(pack, kept_for):
            for document in ended:
                # The key is gone for good by now; the file that it opened takes up room only.
                self._store.destroy(document.id)
            count += len(ended)
        return count

    def _end_batch(self, pack: str, kept_for: timedelta) -> list[Document]:
        with self._transactions.begin(SYSTEM_ACTOR) as tx:
            ended = list(tx.documents.outlived(pack, before=tx.now - kept_for, limit=BATCH))
            for document in ended:
                tx.documents.replace(replace(document, wrapped_key=None))
                tx.audit.record(
                    "document.destroyed",
                    "document",
                    document.id,
                    application=str(document.application),
                    sha256=document.sha256.hex(),
                )
            return ended


def _is_known(tx: Transaction, id: UUID) -> bool:
    try:
        tx.documents.get(id, seen_by=EVERYTHING)
    except NotFound:
        return False
    return True
