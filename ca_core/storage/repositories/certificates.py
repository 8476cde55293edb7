"""Certificates and the block list of keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    case,
    cast,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.access import Visibility
from ca_core.domain.certificate import Certificate, CertificateState, CertificateStatus, Ground
from ca_core.domain.errors import Conflict, InvalidInput, NotFound
from ca_core.domain.identifiers import Serial
from ca_core.services.ports import ChangedEntry, Page
from ca_core.storage.refusals import translated
from ca_core.storage.rows import EntityRows, read_id_cursor, text_pattern, words, write_cursor
from ca_core.storage.tables import blocked_keys, certificate_grounds, certificates, crl_changes
from ca_core.storage.tables.certificates import ON_LISTS
from ca_core.x509.crl_entries import Revoked

C, N = certificates.c, crl_changes.c
ROWS, ENTRIES = 10_000, 1_000
"""Entries of a list that are read, and that are given, together."""
_STATUS = [C[field.name] for field in fields(CertificateStatus)]
_HEX = re.compile(r"[0-9a-f]{2,40}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class CertificateRows(EntityRows[Certificate]):
    """See :class:`ca_core.services.ports.Certificates`."""

    what = "certificate"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, certificates, Certificate)
        self._grounds = EntityRows(connection, certificate_grounds, Ground)
        self.changed: set[tuple[UUID, Serial]] = set()
        """Issuer and serial of those whose status may differ after this transaction."""
        self.changed_own: set[UUID] = set()
        """Of them those that nobody applied for: an authority's, on which the status of all that it issued depends."""

    def replace(self, row: Certificate) -> Certificate:
        self._changes(row)
        return super().replace(row)

    def replace_all(self, rows: Sequence[Certificate], *, columns: Collection[str]) -> Sequence[Certificate]:
        for row in rows:
            self._changes(row)
        return super().replace_all(rows, columns=columns)

    def _changes(self, row: Certificate) -> None:
        self.changed.add((row.issuer, row.serial))
        if row.application is None:
            self.changed_own.add(row.id)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        if seen_by.everything:
            return true()
        return or_(C.owner == seen_by.owner, C.centre.in_(sorted(seen_by.centres)))

    def _extra(self, row: Certificate) -> Mapping[str, Any]:
        return {"search": row.subject.lower()}

    def by_serial(self, serial: Serial, *, seen_by: Visibility, issuer: UUID | None = None) -> Certificate:
        statement = self._select().where(C.serial == serial, self._visible(seen_by))
        if issuer is not None:
            statement = statement.where(C.issuer == issuer)
        found = self._all(statement.limit(2))
        if not found:
            raise NotFound("no certificate has this serial number, or none that you may see")
        if len(found) > 1:
            raise Conflict("two issuers used this serial number; name the certificate by its fingerprint")
        return found[0]

    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        application: UUID | None = None,
        text: str = "",
        expires_before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Certificate]:
        statement = self._select().where(self._visible(seen_by))
        if chosen := words(states):
            statement = statement.where(C.state.in_(chosen))
        if application is not None:
            statement = statement.where(C.application == application)
        if expires_before is not None:
            statement = statement.where(C.not_after < expires_before)
        if text.strip():
            statement = statement.where(_matches(text.strip()))
        if cursor is not None:
            statement = statement.where(C.id < read_id_cursor(cursor))
        items = self._all(statement.order_by(C.id.desc()).limit(limit + 1))
        more = len(items) > limit
        return Page(items=items[:limit], next_cursor=write_cursor(str(items[limit - 1].id)) if more else None)

    def lookup(self, issuer: UUID, serial: Serial) -> Certificate | None:
        return self._one(self._select().where(C.issuer == issuer, C.serial == serial))

    def revoked(self, issuer: UUID, partition: int | None, *, unexpired_at: datetime) -> Iterator[Sequence[Revoked]]:
        statement = select(*self._entry()).where(C.issuer == issuer, ON_LISTS, C.not_after >= unexpired_at)
        if partition is not None:
            statement = statement.where(C.partition == partition)
        serial = type_coerce(C.serial, String)
        following = statement.order_by(C.serial).limit(ROWS)
        while rows := self._tuples(following):
            for start in range(0, len(rows), ENTRIES):
                yield rows[start : start + ENTRIES]
            following = statement.where(serial > rows[-1][0]).order_by(C.serial).limit(ROWS)

    def _tuples(self, statement: Select[Any]) -> Sequence[Any]:
        """As the driver has them: a row object for each of a million would take as long as all the rest."""
        with translated(), self._connection.execute(statement) as result:
            return result.cursor.fetchall()

    def changed_entries(self, issuer: UUID, partition: int, *, unexpired_at: datetime) -> Sequence[ChangedEntry]:
        noted = select(N.certificate).where(N.authority == issuer, N.partition == partition)
        chosen = select(C.id, C.state, *self._entry()).where(C.id.in_(noted), C.not_after >= unexpired_at)
        rows: Iterable[Any] = self._execute(chosen.order_by(C.serial))
        return [ChangedEntry(id, state, tuple(entry)) for id, state, *entry in rows]

    def _entry(self) -> tuple[ColumnElement[Any], ...]:
        """What an entry says, as plain values."""
        moments = func.coalesce(C.revoked_at, C.created_at), C.invalidity_date
        at, invalidity = (_seconds(moment, self._connection.dialect.name) for moment in moments)
        return type_coerce(C.serial, String), at, type_coerce(C.reason, Integer), invalidity

    def by_report_code(self, sha256: bytes) -> Certificate | None:
        return self._one(self._select().where(C.report_code_sha256 == sha256))

    def statuses(
        self, issuer: UUID, *, after: Serial | None, until: Serial | None, limit: int
    ) -> Sequence[CertificateStatus]:
        chosen = select(*_STATUS).where(C.issuer == issuer, C.state != CertificateState.INTENT)
        if after is not None:
            chosen = chosen.where(C.serial > after)
        if until is not None:
            chosen = chosen.where(C.serial <= until)
        rows = self._execute(chosen.order_by(C.serial).limit(limit))
        return [CertificateStatus(**row) for row in rows.mappings()]

    def boundaries(self, issuer: UUID, *, every: int) -> Sequence[Serial]:
        found: list[Serial] = []
        while True:
            following = select(C.serial).where(C.issuer == issuer)
            if found:
                following = following.where(C.serial > found[-1])
            serial = self._execute(following.order_by(C.serial).offset(every - 1).limit(1)).scalar_one_or_none()
            if serial is None:
                return found
            found.append(serial)

    def stale_intents(self, created_before: datetime, *, limit: int) -> Sequence[Certificate]:
        statement = self._select().where(C.state == CertificateState.INTENT, C.created_at <= created_before)
        return self._all(statement.order_by(C.created_at).limit(limit))

    def intents_of(self, applications: Collection[UUID]) -> Sequence[Certificate]:
        return self._all(self._select().where(C.application.in_(applications), C.state == CertificateState.INTENT))

    def issued_between(self, start: datetime, end: datetime) -> Iterator[Certificate]:
        return self._stream(self._select().where(C.issued_at >= start, C.issued_at < end).order_by(C.issued_at))

    def all_ids(self) -> Iterator[UUID]:
        yield from self._execute(select(C.id).order_by(C.id)).scalars()

    def key_owners(self, spki_sha256: Collection[bytes]) -> frozenset[tuple[bytes, UUID]]:
        found = select(C.spki_sha256, C.owner).where(C.spki_sha256.in_(spki_sha256)).distinct()
        return frozenset((row.spki_sha256, row.owner) for row in self._execute(found))

    def with_key(self, spki_sha256: bytes) -> Sequence[Certificate]:
        return self._all(self._select().where(C.spki_sha256 == spki_sha256).order_by(C.id))

    def block_key(self, spki_sha256: bytes, reason: str, at: datetime) -> bool:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(blocked_keys).values(spki_sha256=spki_sha256, reason=reason, at=at)
        # Not by rowcount, which drivers do not agree on after an INSERT.
        inserted = statement.on_conflict_do_nothing().returning(blocked_keys.c.spki_sha256)
        return self._execute(inserted).first() is not None

    def blocked(self, spki_sha256: Collection[bytes]) -> frozenset[bytes]:
        column = blocked_keys.c.spki_sha256
        return frozenset(self._execute(select(column).where(column.in_(spki_sha256))).scalars())

    def block_keys(self, keys: Collection[bytes], reason: str, at: datetime) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        rows = [{"spki_sha256": key, "reason": reason, "at": at} for key in sorted(keys)]
        if rows:
            self._execute(dialect.insert(blocked_keys).on_conflict_do_nothing(), rows)

    def is_blocked(self, spki_sha256: bytes) -> bool:
        return bool(self.blocked((spki_sha256,)))

    def add_ground(self, ground: Ground) -> None:
        self._grounds.add(ground)

    def add_grounds(self, grounds: Sequence[Ground]) -> None:
        self._grounds.add_all(grounds)

    def grounds(self, certificate: UUID) -> Sequence[Ground]:
        grounds = certificate_grounds.c
        return self._grounds._all(
            self._grounds._select().where(grounds.certificate == certificate).order_by(grounds.id)
        )


def _seconds(moment: ColumnElement[Any], dialect: str) -> ColumnElement[int]:
    """Whole seconds since 1970, cut as X.509 cuts them."""
    if dialect == "postgresql":
        return cast(func.floor(func.extract("epoch", moment)), BigInteger)
    microseconds: ColumnElement[int] = type_coerce(moment, BigInteger)
    # Division cuts towards zero, which for what lies before 1970 is later.
    return microseconds // 1_000_000 - case((microseconds % 1_000_000 < 0, 1), else_=0)


def _matches(text: str) -> ColumnElement[bool]:
    cleaned = text.replace(":", "").lower()
    if _FINGERPRINT.fullmatch(cleaned):
        return C.sha256 == bytes.fromhex(cleaned)
    in_subject: ColumnElement[bool] = C.search.like(text_pattern(text), escape="\\")
    if _HEX.fullmatch(cleaned):
        with suppress(InvalidInput):  # no serial can be zero or as large as that
            return or_(in_subject, C.serial == Serial(int(cleaned, 16)))
    return in_subject
