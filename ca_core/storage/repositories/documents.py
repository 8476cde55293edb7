"""Documents, and who was shown them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.access import Visibility
from ca_core.domain.application import STEPS, ApplicationState
from ca_core.domain.document import Document, DocumentState
from ca_core.storage.repositories.applications import visible_applications
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import applications, certificates, documents, page_views

D, V = documents.c, page_views.c


class DocumentRows(EntityRows[Document]):
    """See :class:`ca_core.services.ports.Documents`; a document is seen with its application."""

    what = "document"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, documents, Document)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        if seen_by.everything:
            return true()
        return D.application.in_(select(applications.c.id).where(visible_applications(seen_by)))

    def of(self, application: UUID) -> Sequence[Document]:
        return self._all(self._select().where(D.application == application).order_by(D.id))

    def outlived(self, pack: str, *, before: datetime, limit: int) -> Sequence[Document]:
        end = func.coalesce(certificates.c.not_after, applications.c.created_at)
        closed = [state for state, steps in STEPS.items() if not steps] + [ApplicationState.ISSUED]
        statement = (
            self._select()
            .join(applications, applications.c.id == D.application)
            .outerjoin(certificates, certificates.c.id == applications.c.certificate)
            .where(
                D.wrapped_key.is_not(None),
                applications.c.state.in_(closed),
                applications.c.profile.startswith(f"{pack}/", autoescape=True),
                end < before,
            )
            .order_by(D.id)
            .limit(limit)
        )
        return self._all(statement)

    def longest_unchecked(self, limit: int) -> Sequence[tuple[Document, UUID]]:
        statement = self._counting().order_by(func.coalesce(D.checked_at, D.uploaded_at), D.id).limit(limit)
        return [(self._entity(row), row["owner"]) for row in self._execute(statement).mappings()]

    def counting(self, ids: Collection[UUID]) -> Sequence[tuple[Document, UUID]]:
        statement = self._counting().where(D.id.in_(ids))
        return [(self._entity(row), row["owner"]) for row in self._execute(statement).mappings()]

    def _counting(self) -> Select[Any]:
        return (
            self._select()
            .add_columns(applications.c.owner)
            .join(applications, applications.c.id == D.application)
            .where(D.wrapped_key.is_not(None), D.state != DocumentState.SUPERSEDED)
        )

    def mark_checked(self, ids: Collection[UUID], at: datetime) -> None:
        self._execute(update(documents).where(D.id.in_(ids)).values(checked_at=at))

    def add_view(self, document: UUID, account: UUID, page: int, sha256: bytes, at: datetime) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = {"document": document, "account": account, "page": page, "sha256": sha256, "at": at}
        self._execute(dialect.insert(page_views).values(row).on_conflict_do_nothing())

    def pages_viewed(self, document: UUID, account: UUID) -> frozenset[int]:
        statement = (
            select(V.page)
            .join(documents, D.id == V.document)
            .where(V.document == document, V.account == account, V.sha256 == D.sha256)
        )
        return frozenset(self._execute(statement).scalars())

    def viewed_by(self, application: UUID, account: UUID) -> frozenset[UUID]:
        statement = (
            select(V.document)
            .join(documents, D.id == V.document)
            .where(D.application == application, V.account == account, V.sha256 == D.sha256)
            .group_by(V.document, D.pages)
            .having(func.count() >= D.pages)
        )
        return frozenset(self._execute(statement).scalars())
