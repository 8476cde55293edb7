"""What goes in comes out, to the microsecond, the octet and the letter; lists keep their order while rows are added."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Permission, Role
from ca_core.domain.account import Account, ApiToken, WebSession
from ca_core.domain.application import Application
from ca_core.domain.audit import GENESIS, AuditEvent, record_digest
from ca_core.domain.errors import InvalidInput
from ca_core.storage.rows import write_cursor

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
MOMENTS = st.datetimes(
    min_value=datetime(1950, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2120, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=3)), timezone(timedelta(hours=-9, minutes=-30))]),
)
DURATIONS = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=40_000))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | LETTERS
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3))


@pytest.fixture
def application(shelf: Any) -> Application:
    return shelf.application(shelf.account("a"), shelf.centre("C"))


@FEW
@given(data=st.data())
def test_an_application_comes_back_as_it_was(shelf: Any, application: Application, data: st.DataObject) -> None:
    written = replace(
        application,
        id=UUID(bytes=secrets.token_bytes(16)),
        number=secrets.token_hex(8),
        profile_digest=data.draw(st.binary(min_size=32, max_size=32)),
        subject=data.draw(st.dictionaries(LETTERS, LETTERS, max_size=4)),
        san=tuple(data.draw(st.lists(st.tuples(LETTERS, LETTERS), max_size=4))),
        note=data.draw(LETTERS),
        due_at=data.draw(st.none() | MOMENTS),
        submitted_at=data.draw(MOMENTS),
        clock_consumed=data.draw(DURATIONS),
        request_der=data.draw(st.none() | st.binary(max_size=40)),
    )
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.add(written)
        read = tx.applications.get(written.id, seen_by=EVERYTHING)
    assert read == written
    assert list(read.subject) == list(written.subject), "and in the order in which it was entered"
    assert read.submitted_at is not None
    assert read.submitted_at.utcoffset() == timedelta(0)


@FEW
@given(
    roles=st.frozensets(st.sampled_from(Role)),
    centres=st.frozensets(st.uuids(), max_size=3),
    scopes=st.frozensets(st.sampled_from(Permission)),
    sealed=st.none() | st.binary(max_size=40),
    data=st.dictionaries(LETTERS, JSON, max_size=3),
    moment=MOMENTS,
)
def test_accounts_tokens_and_sessions_come_back_as_they_were(
    shelf: Any, roles: Any, centres: Any, scopes: Any, sealed: Any, data: Any, moment: datetime
) -> None:
    id = UUID(bytes=secrets.token_bytes(16))
    account = Account(
        id=id, email=f"{id}@example.org", name="n", roles=roles, centres=centres, password_hash="x",
        totp_sealed=sealed, created_at=moment,
    )  # fmt: skip
    token = ApiToken(
        id=id, account=id, label="t", token_sha256=secrets.token_bytes(32), scopes=scopes, made_by=id,
        created_at=moment, expires_at=moment,
    )  # fmt: skip
    session = WebSession(
        id=id, token_sha256=secrets.token_bytes(32), account=id, data=data, created_at=moment, seen_at=moment,
        expires_at=moment,
    )  # fmt: skip
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        shelf.confirm(tx, account)
        tx.accounts.add(account)
        tx.accounts.add_token(token)
        tx.accounts.save_session(session)
        assert tx.accounts.get(id, seen_by=EVERYTHING) == account
        assert tx.accounts.tokens_among((token.token_sha256,)) == [token]
        assert tx.accounts.session_by_digest(session.token_sha256) == session


@FEW
@given(details=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), JSON, max_size=3))
def test_invariant_7_a_record_comes_back_as_its_digest_says(shelf: Any, details: dict[str, object]) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        before = tx.audit.head()
        tx.audit.record("x.done", "x", "1", **{f"a_{name}": value for name, value in details.items()})
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        (one,) = tx.audit.records(after=before[0])
    event = AuditEvent(
        at=one.at, actor=one.actor, actor_name=one.actor_name, action=one.action, object_kind=one.object_kind,
        object_id=one.object_id, details=one.details,
    )  # fmt: skip
    assert one.previous == before[1] or before == (0, GENESIS)
    assert one.digest == record_digest(event, sequence=one.sequence, previous=before[1], key_id=one.key_id)


def test_pages_stay_whole_while_rows_are_added(shelf: Any, clock: Any, application: Application) -> None:
    there = {application.id} | {
        shelf.application(application.owner, application.centre, due_at=clock() + timedelta(hours=number)).id
        for number in range(6)
    }
    for order in ("created", "due"):
        seen: list[UUID] = []
        cursor = None
        while True:
            with shelf.transactions.read(SYSTEM_ACTOR) as tx:
                page = tx.applications.find(seen_by=EVERYTHING, cursor=cursor, limit=2, order=order)
            seen += [one.id for one in page.items if one.id in there]
            # It has an earlier deadline than all, and is newer.
            if page.next_cursor and cursor is None:
                shelf.application(application.owner, application.centre, due_at=clock() - timedelta(hours=1))
            if (cursor := page.next_cursor) is None:
                break
        assert len(seen) == len(set(seen)), order
        assert set(seen) == there, order


FORGED = [
    write_cursor(),
    write_cursor("no uuid"),
    write_cursor(str(UUID(int=1)), 1),
    write_cursor(1, "no uuid"),
    write_cursor(10**30, str(UUID(int=1))),
    write_cursor(-(10**30), str(UUID(int=1))),
    write_cursor(True, str(UUID(int=1))),
    write_cursor(None),
    "e30=",
]


def test_a_forged_cursor_is_refused(shelf: Any) -> None:
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for cursor in FORGED:
            for order in ("created", "due"):
                with pytest.raises(InvalidInput):
                    tx.applications.find(seen_by=EVERYTHING, cursor=cursor, order=order)
            with pytest.raises(InvalidInput):
                tx.certificates.find(seen_by=EVERYTHING, cursor=cursor)
            for rows in (tx.accounts, tx.jobs):
                with pytest.raises(InvalidInput):
                    rows.find(cursor=cursor)
