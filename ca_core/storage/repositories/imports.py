"""Certificates from another authority's software, many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Integer, LargeBinary, String, Uuid, select, type_coerce, update
from sqlalchemy.exc import DBAPIError

from ca_core.domain.certificate import CertificateState
from ca_core.domain.importing import GOOD, PROFILE, Import, ImportedRow, ImportedStatus, ReadCertificate
from ca_core.storage.columns import Moment, microseconds
from ca_core.storage.engine import FAILED
from ca_core.storage.refusals import translated
from ca_core.storage.rows import EntityRows
from ca_core.storage.tables import certificates, imports

C = certificates.c
COLUMNS = (
    C.id, C.issuer, C.serial, C.state, C.profile, C.profile_version, C.profile_digest, C.owner, C.subject, C.tbs,
    C.tbs_sha256, C.der, C.sha256, C.spki_sha256, C.not_before, C.not_after, C.partition, C.created_at, C.revoked_at,
    C.reason, C.held_by, C.invalidity_date, C.import_id, C.imported_status, C.version, C.search,
)  # fmt: skip
"""What an imported row has; the others stay empty."""
_SERIAL = type_coerce(C.serial, String).label("serial")
"""As text, which is what it is kept as."""
TOGETHER = 250
"""Rows of one INSERT on SQLite, which saves what a statement changes before a trigger may refuse it: once for each
statement, so once for many rows."""


class ImportRows(EntityRows[Import]):
    """See :class:`ca_core.services.ports.Imports`."""

    what = "import"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, imports, Import)

    def known(self, issuer: UUID, serials: Collection[str]) -> Mapping[str, bytes | None]:
        asked = type_coerce(C.serial, String).in_(serials)
        rows = self._execute(select(_SERIAL, C.sha256).where(C.issuer == issuer, asked))
        return {row.serial: row.sha256 for row in rows}

    def add_rows(
        self, taken: Import, rows: Sequence[tuple[UUID, ReadCertificate, ImportedStatus | None]]
    ) -> Sequence[ImportedRow]:
        with translated():
            if self._connection.dialect.name == "postgresql":
                self._copy(_values(taken, row, lambda one: one, lambda one: one) for row in rows)
            else:
                for at in range(0, len(rows), TOGETHER):
                    self._insert([_values(taken, row, _hex, microseconds) for row in rows[at : at + TOGETHER]])
        return [ImportedRow(id, read.serial, read.sha256, status.text if status else GOOD) for id, read, status in rows]

    def close(self, taken: Import) -> None:
        closed = update(imports).where(imports.c.id == taken.id)
        self._execute(closed.values(count=taken.count, digest=taken.digest))

    def rows(self, id: UUID) -> Iterator[ImportedRow]:
        for row in self._execute(select(C.id, _SERIAL, C.sha256, C.imported_status).where(C.import_id == id)):
            yield ImportedRow(row.id, row.serial, row.sha256, row.imported_status)

    def _insert(self, rows: Sequence[Sequence[Any]]) -> None:
        row = f"({', '.join('?' * len(COLUMNS))})"
        statement = f"INSERT INTO certificates ({_NAMES}) VALUES {', '.join([row] * len(rows))}"  # noqa: S608
        self._connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))

    def _copy(self, rows: Iterator[Sequence[Any]]) -> None:
        statement = f"COPY certificates ({_NAMES}) FROM STDIN (FORMAT BINARY)"
        driver = self._connection.dialect.loaded_dbapi
        try:
            with self._connection.connection.cursor().copy(statement) as copy:
                copy.set_types(_TYPES)
                for row in rows:
                    copy.write_row(row)
        except driver.Error as error:
            self._connection.info[FAILED] = True
            raise DBAPIError.instance(statement, None, error, driver.Error) from error


def _values(
    taken: Import,
    row: tuple[UUID, ReadCertificate, ImportedStatus | None],
    identifier: Callable[[UUID], Any],
    moment: Callable[[datetime], Any],
) -> Sequence[Any]:
    """In the order of :data:`COLUMNS`, as the driver takes them."""
    id, read, status = row
    state, revoked_at, reason, held_by, invalid = CertificateState.ISSUED, None, None, None, None
    if status is not None:
        state, revoked_at, reason = status.state, moment(status.revoked_at), int(status.reason)
        held_by = identifier(taken.taken_by) if state is CertificateState.HELD else None
        invalid = None if status.invalidity_date is None else moment(status.invalidity_date)
    return (
        identifier(id), identifier(taken.issuer), read.serial, state.value, PROFILE, "", bytes(32),
        identifier(taken.owner), read.subject, read.tbs, read.tbs_sha256, read.der, read.sha256, read.spki_sha256,
        moment(read.not_before), moment(read.not_after), 0, moment(taken.at), revoked_at, reason, held_by, invalid,
        identifier(taken.id), status.text if status else GOOD, 1, read.subject.lower(),
    )  # fmt: skip


_NAMES = ", ".join(f'"{column.name}"' for column in COLUMNS)
_TYPES = [
    "uuid" if isinstance(column.type, Uuid)
    else "timestamptz" if isinstance(column.type, Moment)
    else "bytea" if isinstance(column.type, LargeBinary)
    else "int4" if isinstance(column.type, Integer) or column is C.reason
    else "text" if column in (C.subject, C.search)
    else "varchar"
    for column in COLUMNS
]  # fmt: skip


def _hex(identifier: UUID) -> str:
    return identifier.hex
