"""Accounts, centres, sessions, tokens, remembered answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from ca_core.domain.access import Role, Visibility
from ca_core.domain.account import Account, ApiToken, Centre, WebSession
from ca_core.domain.errors import NotFound
from ca_core.domain.work import RememberedAnswer
from ca_core.services.ports import Page
from ca_core.storage.rows import EntityRows, read_id_cursor, text_pattern, write_cursor
from ca_core.storage.tables import accounts, api_tokens, centres, remembered_answers, web_sessions

A = accounts.c


class AccountRows(EntityRows[Account]):
    """See :class:`ca_core.services.ports.Accounts`."""

    what = "account"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, accounts, Account)
        self._centres = EntityRows(connection, centres, Centre)
        self._centres.what = "service centre"
        self._tokens = EntityRows(connection, api_tokens, ApiToken)
        self._tokens.what = "token"
        self._sessions = EntityRows(connection, web_sessions, WebSession)
        self._remembered = EntityRows(connection, remembered_answers, RememberedAnswer)

    def _visible(self, seen_by: Visibility) -> ColumnElement[bool]:
        return true() if seen_by.everything else A.id == seen_by.owner

    def _extra(self, row: Account) -> Mapping[str, Any]:
        return {"staff": row.is_staff}

    def by_email(self, email: str) -> Account | None:
        return self._one(self._select().where(A.email == email))

    def find(self, *, text: str = "", cursor: str | None = None, limit: int = 50) -> Page[Account]:
        statement = self._select()
        if text.strip():
            pattern = text_pattern(text.strip())
            statement = statement.where(or_(A.email.like(pattern, escape="\\"), A.name.ilike(pattern, escape="\\")))
        if cursor is not None:
            statement = statement.where(A.id < read_id_cursor(cursor))
        items = self._all(statement.order_by(A.id.desc()).limit(limit + 1))
        more = len(items) > limit
        return Page(items=items[:limit], next_cursor=write_cursor(str(items[limit - 1].id)) if more else None)

    def with_role(self, role: Role, *, centre: UUID | None = None) -> Sequence[Account]:
        staff = role is not Role.SUBSCRIBER
        chosen = self._select().where(A.staff == staff, A.active, A.roles.like(f"% {role.value} %"))
        found = self._all(chosen.order_by(A.id))
        return found if centre is None else [one for one in found if centre in one.centres]

    def add_centre(self, centre: Centre) -> None:
        self._centres.add(centre)

    def centre(self, id: UUID) -> Centre:
        return self._found_centre(self._centres._one(select(centres).where(centres.c.id == id)))

    def centre_by_code(self, code: str) -> Centre:
        return self._found_centre(self._centres._one(select(centres).where(centres.c.code == code)))

    def centres(self) -> Sequence[Centre]:
        return self._centres._all(select(centres).order_by(centres.c.code))

    def add_token(self, token: ApiToken) -> None:
        self._tokens.add(token)

    def tokens_among(self, sha256: Collection[bytes]) -> Sequence[ApiToken]:
        return self._tokens._all(select(api_tokens).where(api_tokens.c.token_sha256.in_(sha256)))

    def tokens_of(self, account: UUID) -> Sequence[ApiToken]:
        chosen = select(api_tokens).where(api_tokens.c.account == account)
        return self._tokens._all(chosen.order_by(api_tokens.c.id.desc()))

    def replace_token(self, token: ApiToken) -> ApiToken:
        return self._tokens.replace(token)

    def save_session(self, session: WebSession) -> None:
        values = self._sessions._values(session)
        statement = self._insert(web_sessions).values(values)
        self._execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def session_by_digest(self, sha256: bytes) -> WebSession | None:
        return self._sessions._one(select(web_sessions).where(web_sessions.c.token_sha256 == sha256))

    def delete_sessions(
        self, *, account: UUID | None = None, id: UUID | None = None, expired_at: datetime | None = None
    ) -> int:
        column = web_sessions.c
        conditions: list[ColumnElement[bool]] = []
        if account is not None:
            conditions.append(column.account == account)
        if id is not None:
            conditions.append(column.id == id)
        if expired_at is not None:
            conditions.append(column.expires_at <= expired_at)
        if not conditions:
            return 0
        return self._execute(delete(web_sessions).where(and_(*conditions))).rowcount

    def remember(self, answer: RememberedAnswer) -> RememberedAnswer | None:
        values = self._remembered._values(answer)
        statement = self._insert(remembered_answers).values(values).on_conflict_do_nothing()
        while True:
            # Not by rowcount, which drivers do not agree on after an INSERT.
            if self._execute(statement.returning(remembered_answers.c.key)).first() is not None:
                return None
            there = self._remembered._one(select(remembered_answers).where(_is(answer.account, answer.key)))
            if there is not None:  # or it was forgotten in between
                return there

    def update_remembered(self, answer: RememberedAnswer) -> None:
        statement = update(remembered_answers).where(_is(answer.account, answer.key))
        self._execute(statement, self._remembered._values(answer))

    def forget(self, account: UUID, key: str) -> None:
        self._execute(delete(remembered_answers).where(_is(account, key)))

    def forget_before(self, moment: datetime) -> int:
        return self._execute(delete(remembered_answers).where(remembered_answers.c.created_at < moment)).rowcount

    def _found_centre(self, centre: Centre | None) -> Centre:
        if centre is None:
            raise NotFound("there is no such service centre; 'pechatnik centre list' lists them")
        return centre

    def _insert(self, table: Any) -> Any:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)


def _is(account: UUID, key: str) -> ColumnElement[bool]:
    return and_(remembered_answers.c.account == account, remembered_answers.c.key == key)
