"""Rows changed past the services, triggers and all: the comparison with the record names each. Ordinary journeys give
no fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.application import CheckMode, CheckResult, CheckVerdict
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import NotPermitted
from ca_core.domain.identifiers import Serial
from ca_core.services.audit_file import verify_export
from ca_core.services.comparison import by_object
from ca_core.services.replacement_reason import Circumstance
from ca_core.services.review_round import record_check
from ca_core.storage import tables as t, triggers


def forge(house: Any, *statements: Executable) -> None:
    """As whoever owns the database can: triggers out of the way, the statements, and the same triggers again."""
    sqlite = house.program.engine.dialect.name == "sqlite"
    with house.program.engine.connect() as connection:
        if sqlite:  # knows this outside of transactions only
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            triggers.drop(connection)
            if not sqlite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(statement)
            triggers.create(connection)
        if sqlite:
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = ON")
    assert house.program.schema_differences() == []


def verify(house: Any) -> Any:
    return house.services.audit.verify(house.auditor)


def at_work(house: Any, clock: Any) -> None:
    """Something in every table: issued, refused and corrected, rejected, withdrawn, revoked, held, lost, found."""
    services = house.services
    held, lost, compromised = house.issued(), house.issued(house.signing()), house.issued()
    services.revocation.hold(house.officer, held.id, because="asked by telephone")
    services.revocation.revoke(
        SYSTEM_ACTOR, compromised.id, reason=R.KEY_COMPROMISE, invalidity_date=clock(), because="told by the owner"
    )
    started = services.replacement.report(house.subscriber, lost.id, circumstance=Circumstance.LOST)
    corrected = house.submit(house.apply(house.signing()))
    services.review.claim(house.operator, corrected.id)
    document = services.review.snapshot(house.operator, corrected.id).documents[0]
    services.review.refuse_document(house.operator, document.id, version=document.version, reason="unreadable")
    services.review.return_for_correction(
        house.operator, corrected.id, version=house.current(corrected).version, note="once more"
    )
    house.attach(corrected, document.kind, title="better")
    house.submit(corrected)
    house.approve(corrected)
    rejected = house.submit(house.apply())
    services.review.claim(house.operator, rejected.id)
    services.review.reject(house.operator, rejected.id, version=house.current(rejected).version, note="no such firm")
    doubtful = house.submit(house.apply(house.signing()))
    services.review.claim(house.operator, doubtful.id)
    document = services.review.snapshot(house.operator, doubtful.id).documents[0]
    services.review.refuse_document(
        house.operator, document.id, version=document.version, reason="unreadable", note="the stamp is missing"
    )
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        record_check(
            tx,
            CheckResult(
                id=tx.new_id(),
                application=doubtful.id,
                round=1,
                name="register",
                mode=CheckMode.ADVISORY,
                verdict=CheckVerdict.CONFIRMED,
                detail="known since 1999",
                at=tx.now,
            ),
        )
    ended = house.apply()
    services.intake.withdraw(house.subscriber, ended.id, version=ended.version)
    good = house.issued()
    services.acceptance.accept(house.subscriber, good.application, version=house.current_of(good).version)
    house.program.crls.issue(SYSTEM_ACTOR, "issuing")
    assert started is not None


def where(house: Any, table: Any, **values: object) -> Any:
    """One row that has these values: the first by its key."""
    key = list(table.primary_key)
    with house.program.engine.connect() as connection:
        statement = select(*key).order_by(*key).limit(1)
        for name, value in values.items():
            statement = statement.where(table.c[name] == value)
        found = connection.execute(statement).one()
    return [column == value for column, value in zip(key, found, strict=True)]


Change = Callable[[Any], Executable]


def changed(name: str, column: str, value: object, **chosen: object) -> tuple[str, str, Change]:
    table = t.metadata.tables[name]
    identifier = f"{name}.{column} of {chosen or 'any'}"
    return (
        identifier,
        name,
        lambda house: update(table).where(*where(house, table, **chosen)).values({column: value}),
    )


def gone(name: str, **chosen: object) -> tuple[str, str, Change]:
    table = t.metadata.tables[name]
    return f"a row of {name} is gone {chosen}", name, lambda house: delete(table).where(*where(house, table, **chosen))


def copied(name: str, **values: Any) -> tuple[str, str, Change]:
    """A row like another one, which nobody made."""
    table = t.metadata.tables[name]

    def statement(house: Any) -> Executable:
        with house.program.engine.connect() as connection:
            row = dict(connection.execute(select(table).limit(1)).mappings().one())
        return insert(table).values(row | {key: make() for key, make in values.items()})

    return f"a row of {name} is invented", name, statement


NOBODY = UUID(int=7)
ZEROS = bytes(32)
ISSUED: Any = {"state": "issued"}
CASES = [
    changed("certificates", "state", "revoked", **ISSUED),
    changed("certificates", "state", "held", **ISSUED),
    changed("certificates", "state", "issued", state="revoked"),
    changed("certificates", "reason", 4, state="revoked"),
    changed("certificates", "held_by", NOBODY, state="held"),
    changed("certificates", "invalidity_date", None, state="revoked"),
    changed("certificates", "owner", NOBODY, **ISSUED),
    changed("certificates", "der", b"\x30\x00", **ISSUED),
    changed("certificates", "sha256", ZEROS, **ISSUED),
    changed("certificates", "tbs", b"\x30\x00", **ISSUED),
    changed("certificates", "tbs_sha256", ZEROS, **ISSUED),
    changed("certificates", "spki_sha256", ZEROS, **ISSUED),
    changed("certificates", "approval_digest", ZEROS, **ISSUED),
    changed("certificates", "profile_version", "1", **ISSUED),
    changed("certificates", "profile_digest", ZEROS, **ISSUED),
    changed("certificates", "issuer", NOBODY, **ISSUED),
    changed("certificates", "partition", 7, **ISSUED),
    changed("certificates", "subject", "CN=Somebody Else", **ISSUED),
    changed("certificates", "centre", NOBODY, **ISSUED),
    changed("certificates", "not_after", datetime(2099, 1, 1, tzinfo=UTC), **ISSUED),
    changed("certificates", "replaces", NOBODY, **ISSUED),
    gone("certificates", **ISSUED),
    copied("certificates", id=uuid4, serial=lambda: Serial(77), application=lambda: None, sha256=lambda: ZEROS),
    changed("authorities", "certificate", b"\x30\x00"),
    changed("authorities", "state", "revoked"),
    changed("authorities", "name", "other"),
    changed("authorities", "environment", "demo"),
    changed("authorities", "parent", None, kind="issuing"),
    changed("authorities", "partitions", 9),
    changed("authorities", "kind", "issuing", kind="root"),
    changed("authorities", "key_identifier", bytes(20)),
    changed("authorities", "not_after", datetime(2099, 1, 1, tzinfo=UTC)),
    changed("published_crls", "sha256", ZEROS),
    changed("published_crls", "base", 1),
    gone("published_crls"),
    gone("blocked_keys"),
    ("a row of blocked_keys is invented", "blocked_keys", lambda house: _block(house)),
    changed("applications", "owner", NOBODY, state="rejected"),
    changed("applications", "state", "withdrawn", state="rejected"),
    changed("applications", "note", "for no reason", state="rejected"),
    changed("applications", "subject", {"O": "Somebody Else", "CN": "client"}, state="issued"),
    changed("applications", "subject", {"O": "Somebody Else", "CN": "client"}, state="rejected"),
    changed("applications", "san", (("dns", "else.example"),), state="issued"),
    changed("applications", "request_der", b"\x30\x00", state="issued"),
    changed("applications", "certificate", None, state="issued"),
    changed("applications", "state", "issued", state="accepted"),
    changed("applications", "state", "request-received", state="issued"),
    changed("applications", "request_sent_by", NOBODY, state="issued"),
    changed("applications", "profile_version", "1", state="issued"),
    changed("applications", "round", 5, state="rejected"),
    changed("applications", "approvals_required", 2, state="rejected", approvals_required=1),
    changed("documents", "state", "accepted", state="refused"),
    changed("documents", "state", "superseded", state="accepted"),
    changed("documents", "decided_by", NOBODY, state="accepted"),
    changed("documents", "note", "nothing wrong", state="superseded"),
    changed("documents", "sha256", ZEROS, state="accepted"),
    changed("documents", "uploaded_by", NOBODY, state="accepted"),
    changed("documents", "wrapped_key", None, state="accepted"),
    gone("documents", state="accepted"),
    gone("certificate_grounds"),
    changed("certificate_grounds", "words", "another reason"),
    changed("certificate_grounds", "by", "somebody else"),
    changed("certificate_grounds", "action", "revoked", action="held"),
    copied("certificate_grounds", id=uuid4, certificate=uuid4),
    gone("page_views"),
    changed("page_views", "sha256", ZEROS),
    copied("page_views", account=uuid4),
    changed("check_results", "verdict", "refuted"),
    gone("check_results"),
    gone("approvals"),
    changed("approvals", "approver", NOBODY),
    changed("approvals", "digest", ZEROS),
    changed("approvals", "round", 9),
    copied("approvals", id=uuid4, approver=uuid4),
    changed("snapshots", "content", b"{}"),
    gone("snapshots"),
    gone("application_editors"),
    copied("application_editors", account=uuid4),
    changed("accounts", "roles", frozenset({Role.OPERATOR, Role.SUBSCRIBER}), email="subscriber@example.org"),
    changed("accounts", "centres", frozenset(), email="operator@example.org"),
    changed("accounts", "active", False, email="auditor@example.org"),
    gone("accounts", email="support@example.org"),
    copied("accounts", id=uuid4, email=lambda: "invented@example.org"),
    gone("notices"),
    changed("notices", "context", {"number": "2026-999999"}),
    changed("notices", "account", NOBODY),
    changed("notices", "state", "sent"),
    copied("notices", id=uuid4),
]
ELSEWHERE = {"snapshots": "approvals", "blocked_keys": "certificates"}
"""Tables whose rows are compared with those of another: there the fault may be named."""


def _block(house: Any) -> Executable:
    return insert(t.blocked_keys).values(spki_sha256=ZEROS, reason="keyCompromise", at=house.program.clock())


@pytest.fixture
def busy(house: Any, clock: Any) -> Any:
    house.current_of = lambda certificate: house.services.intake.get(SYSTEM_ACTOR, certificate.application).application
    at_work(house, clock)
    return house


def test_ordinary_journeys_give_no_fault_and_every_changed_row_is_named(
    busy: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_object, "BATCH", 3)
    assert verify(busy).faults == ()
    monkeypatch.undo()
    with busy.program.engine.connect() as connection:
        kept = {name: [dict(row) for row in connection.execute(select(table)).mappings()] for name, table in TABLES}
    unseen = []
    for case, table, change in CASES:
        forge(busy, change(busy))
        found = {one.table for one in verify(busy).faults}
        if not found & {table, ELSEWHERE.get(table)}:
            unseen.append((case, found))
        _put_back(busy, kept, table)
    assert unseen == []
    assert verify(busy).ok, "all was put back"


TABLES = [(name, t.metadata.tables[name]) for name in sorted({table for _, table, _ in CASES})]


def _put_back(house: Any, kept: Any, name: str) -> None:
    table = t.metadata.tables[name]
    forge(house, delete(table), insert(table).values(kept[name]))


def test_what_was_approved_stays_readable_after_the_data_changed(house: Any) -> None:
    application = house.approve(house.submit(house.apply(house.signing())))
    assert application.state.value == "approved-first"
    house.services.intake.update(
        house.subscriber, application.id, version=application.version, subject={**application.subject, "CN": "Other"}
    )
    later = house.approve(application)
    given = house.services.journeys.approvals(house.auditor, application.number)
    assert [one.round for one, _ in given] == [1, 2]
    assert [json.loads(kept)["subject"]["CN"] for _, kept in given] == ["Example Ltd", "Other"]
    for one, kept in given:
        assert hashlib.sha256(kept).digest() == one.digest
    assert later.round == 2
    assert verify(house).ok
    with pytest.raises(NotPermitted):
        house.services.journeys.approvals(house.subscriber, application.id)


def test_a_journey_has_all_of_one_application_and_nothing_of_another(house: Any) -> None:
    other, certificate = house.issued(), house.issued(house.signing())
    house.services.revocation.hold(house.officer, certificate.id, because="asked by telephone")
    records = house.services.journeys.records(house.auditor, certificate.application)
    kinds = {one.action.partition(".")[0] for one in records}
    assert kinds == {"application", "document", "request", "certificate", "notice"}
    assert [one.sequence for one in records] == sorted(one.sequence for one in records)
    assert records[-1].action == "notice.queued"
    mentioned = {str(other.id), str(other.application)}
    assert not mentioned & {one.object_id for one in records}
    with pytest.raises(NotPermitted):
        house.services.journeys.records(house.support, certificate.application)


def test_an_export_is_sealed_to_its_end_by_whoever_may_seal(house: Any) -> None:
    house.issued()
    key = house.services.audit.seal(SYSTEM_ACTOR).public_key_info
    sealed = verify_export(house.services.audit.export(SYSTEM_ACTOR), trusted_public_keys=[key])
    assert sealed.sealed_up_to == sealed.records
    open_end = verify_export(house.services.audit.export(house.auditor), trusted_public_keys=[key])
    assert open_end.records - open_end.sealed_up_to == 1, "that it was exported"
