"""Applications, and what belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.access import Visibility
from ca_core.domain.application import OPEN, Application, Approval, ApprovedContent, CheckResult
from ca_core.domain.errors import InvalidInput, NotFound
from ca_core.services.ports import Page
from ca_core.storage.columns import Moment
from ca_core.storage.repositories.counters import next_value
from ca_core.storage.rows import EntityRows, read_cursor, read_id_cursor, text_pattern, words, write_cursor
from ca_core.storage.tables import accounts, application_editors, applications, approvals, check_results, snapshots

A = applications.c
FAR = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
"""Stands for no deadline, after every one."""


def visible_applications(seen_by: Visibility) -> ColumnElement[bool]:
    """Own ones and those of one's centres, or all (invariant 13)."""
    if seen_by.everything:
        return true()
    return or_(A.owner == seen_by.owner, A.centre.in_(sorted(seen_by.centres)))


class ApplicationRows(EntityRows[Application]):
    """See :class:`ca_core.services.ports.Applications`."""

    what = "application"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, applications, Application)
        self._approvals = EntityRows(connection, approvals, Approval)
        self._checks = EntityRows(connection, check_results, CheckResult)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        return visible_applications(seen_by)

    def _computed(self, row: Application) -> Mapping[str, ColumnElement[Any]]:
        email = select(accounts.c.email).where(accounts.c.id == row.owner).scalar_subquery()
        text = " ".join((row.number, *row.subject.values(), *(value for _, value in row.san))).lower()
        return {"search": literal(text + " ") + func.coalesce(email, "")}

    def find(
        self,
        *,
        seen_by: Visibility,
        states: Iterable[str] = (),
        claimed_by: UUID | None = None,
        text: str = "",
        cursor: str | None = None,
        limit: int = 50,
        order: str = "created",
    ) -> Page[Application]:
        statement = self._select().where(self._chosen(seen_by, states, claimed_by))
        if text.strip():
            statement = statement.where(A.search.like(text_pattern(text.strip()), escape="\\"))
        due = func.coalesce(A.due_at, literal(FAR, Moment()))
        if order == "due":
            if cursor is not None:
                micros, id = read_cursor(cursor, int, str)
                moment = literal(_moment(micros), Moment())
                last = read_id_cursor(write_cursor(id))
                statement = statement.where(or_(due > moment, and_(due == moment, A.id > last)))
            statement = statement.order_by(due, A.id)
        else:
            if cursor is not None:
                statement = statement.where(A.id < read_id_cursor(cursor))
            statement = statement.order_by(A.id.desc())
        items = self._all(statement.limit(limit + 1))
        if len(items) <= limit:
            return Page(items=items, next_cursor=None)
        last_item = items[limit - 1]
        position = (_micros(last_item.due_at or FAR), str(last_item.id)) if order == "due" else (str(last_item.id),)
        return Page(items=items[:limit], next_cursor=write_cursor(*position))

    def count(self, *, seen_by: Visibility, states: Iterable[str] = (), claimed_by: UUID | None = None) -> int:
        statement = select(func.count()).select_from(applications).where(self._chosen(seen_by, states, claimed_by))
        return int(self._execute(statement).scalar_one())

    def next_number(self, year: int) -> str:
        return f"{year}-{next_value(self._connection, f'application:{year}'):06d}"

    def by_number(self, number: str, *, seen_by: Visibility) -> Application:
        found = self._one(self._select().where(A.number == number, self._visible(seen_by)))
        if found is None:
            raise NotFound("there is no application of this number, or none that you may see")
        return found

    def running_clocks(self) -> Sequence[Application]:
        return self._all(self._select().where(A.clock_running_since.is_not(None)))

    def expired_claims(self, now: datetime) -> Sequence[Application]:
        return self._all(self._select().where(A.claimed_by.is_not(None), A.claim_expires <= now))

    def unmoved_since(self, moment: datetime, *, states: Iterable[str], limit: int) -> Sequence[Application]:
        chosen = self._select().where(A.state.in_(words(states)), A.state_since < moment)
        return self._all(chosen.order_by(A.state_since).limit(limit))

    def open_replacement_of(self, certificate: UUID) -> Application | None:
        still = [*OPEN]
        return self._one(self._select().where(A.replaces == certificate, A.state.in_(words(still))))

    def add_editor(self, application: UUID, account: UUID) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(application_editors).values(application=application, account=account)
        self._execute(statement.on_conflict_do_nothing())

    def editors(self, application: UUID) -> frozenset[UUID]:
        column = application_editors.c
        statement = select(column.account).where(column.application == application)
        return frozenset(self._execute(statement).scalars())

    def add_approval(self, approval: Approval) -> None:
        self._approvals.add(approval)

    def approvals_among(self, applications: Collection[UUID]) -> Sequence[Approval]:
        column = approvals.c
        chosen = select(approvals).where(column.application.in_(applications))
        return self._approvals._all(chosen.order_by(column.at, column.id))

    def approvals(self, application: UUID, round: int | None) -> Sequence[Approval]:
        column = approvals.c
        chosen = select(approvals).where(column.application == application)
        if round is not None:
            chosen = chosen.where(column.round == round)
        return self._approvals._all(chosen.order_by(column.round, column.at, column.id))

    def keep_approved(self, content: ApprovedContent) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(snapshots).values(digest=content.digest, content=content.content, at=content.at)
        self._execute(statement.on_conflict_do_nothing())

    def approved_content(self, digest: bytes) -> bytes | None:
        found: bytes | None = self._execute(select(snapshots.c.content).where(snapshots.c.digest == digest)).scalar()
        return found

    def add_check(self, check: CheckResult) -> None:
        self._checks.add(check)

    def checks(self, application: UUID, round: int) -> Sequence[CheckResult]:
        column = check_results.c
        chosen = select(check_results).where(column.application == application, column.round == round)
        return self._checks._all(chosen.order_by(column.at, column.id))

    def _chosen(self, seen_by: Visibility, states: Iterable[str], claimed_by: UUID | None) -> ColumnElement[bool]:
        conditions = [self._visible(seen_by)]
        if chosen := words(states):
            conditions.append(A.state.in_(chosen))
        if claimed_by is not None:
            conditions.append(A.claimed_by == claimed_by)
        return and_(*conditions)


_ZERO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _micros(moment: datetime) -> int:
    return (moment - _ZERO) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    try:
        return _ZERO + timedelta(microseconds=micros)
    except OverflowError:
        raise InvalidInput("the cursor is not one that a list gave; start from the beginning") from None
