"""Sealed documents, opened again and again: evidence that nobody asks for must not rot unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from uuid import UUID

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.audit import Fault
from ca_core.domain.document import Document
from ca_core.domain.errors import CaError
from ca_core.services.ports import ObjectStore, Transactions


class SealedDocuments:
    """Part of the daily re-check. No transaction is open while a file is read."""

    def __init__(self, transactions: Transactions, *, store: ObjectStore) -> None:
        self._transactions = transactions
        self._store = store

    def check(self, limit: int, *, again: Collection[UUID] = ()) -> tuple[int, Sequence[Fault]]:
        """Open so many of those that count, whose last check is the longest ago, and ``again`` those that were broken
        last time; returns how many were opened, and which are broken."""
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            due = tx.documents.longest_unchecked(limit)
            due = [*due, *tx.documents.counting(set(again) - {document.id for document, _ in due})]
        faults: list[Fault] = []
        for document, owner in due:
            detail = self._broken(document, owner)
            if detail is not None and not self._destroyed_since(document):
                faults.append(Fault(table="documents", object=str(document.id), detail=detail))
        if due:
            with self._transactions.begin(SYSTEM_ACTOR) as tx:
                tx.documents.mark_checked([document.id for document, _ in due], tx.now)
        return len(due), faults

    def _broken(self, document: Document, owner: UUID) -> str | None:
        assert document.wrapped_key is not None
        try:
            data = self._store.get(document.id, owner, wrapped_key=document.wrapped_key, key_id=document.key_id)
        except CaError as error:
            return error.detail
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        return None if hashlib.sha256(data).digest() == document.sha256 else "it is not what was received"

    def _destroyed_since(self, document: Document) -> bool:
        with self._transactions.read(SYSTEM_ACTOR) as tx:
            return tx.documents.get(document.id, seen_by=EVERYTHING).wrapped_key is None
