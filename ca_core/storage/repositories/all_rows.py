"""Every row of a table, for comparing it with the record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Table

from ca_core.domain.account import Account
from ca_core.domain.application import Application, Approval, CheckResult, Editor
from ca_core.domain.authority import Authority, PublishedHead
from ca_core.domain.certificate import BlockedKey, Certificate, Ground
from ca_core.domain.document import Document, PageView
from ca_core.domain.importing import Import
from ca_core.domain.mass_revocation import MassRevocation
from ca_core.domain.work import Notice
from ca_core.storage import tables
from ca_core.storage.rows import EntityRows

T = TypeVar("T")

TABLES: Mapping[type, Table] = {
    Account: tables.accounts,
    Application: tables.applications,
    Approval: tables.approvals,
    Authority: tables.authorities,
    BlockedKey: tables.blocked_keys,
    Certificate: tables.certificates,
    CheckResult: tables.check_results,
    Document: tables.documents,
    Editor: tables.application_editors,
    Notice: tables.notices,
    Ground: tables.certificate_grounds,
    Import: tables.imports,
    MassRevocation: tables.mass_revocations,
    PageView: tables.page_views,
    PublishedHead: tables.published_crls,
}


class AllRows:
    """See :class:`ca_core.services.ports.AllRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def each(self, kind: type[T]) -> Iterator[T]:
        rows, table = self._rows(kind)
        return rows._stream(rows._select().order_by(*table.primary_key))

    def among(self, kind: type[T], column: str, values: Collection[object]) -> Sequence[T]:
        rows, table = self._rows(kind)
        return rows._all(rows._select().where(table.c[column].in_(values)).order_by(*table.primary_key))

    def _rows(self, kind: type[T]) -> tuple[EntityRows[T], Table]:
        table = TABLES[kind]
        return EntityRows(self._connection, table, kind), table
