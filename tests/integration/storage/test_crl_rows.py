"""What lists are made from: each entry as its row says, and a note of every change, whoever made it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.authority import PublishedHead
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason as R
from ca_core.domain.identifiers import Serial
from ca_core.storage import triggers
from ca_core.storage.repositories import authorities, certificates as repository
from tests.integration.storage.test_list_numbers import authority, crl

ISSUER = UUID(int=7)


def put(shelf: Any, row: Certificate) -> Certificate:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        changed: Certificate = tx.certificates.replace(row)
    return changed


def notes(shelf: Any, partition: int = 0) -> list[int]:
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        return list(tx.authorities.noted_changes(ISSUER, partition))


@pytest.mark.parametrize(
    ("moment", "second"),
    [
        (datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), 1_767_225_600),
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 58, 1, tzinfo=UTC), -2),
        (datetime(1950, 1, 1, tzinfo=UTC), -631_152_000),
        (datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC), 32_503_679_999),
    ],
    ids=["end of a second", "zero", "just before", "the earliest", "far ahead"],
)
def test_an_entry_has_the_seconds_of_its_row(shelf: Any, moment: datetime, second: int) -> None:
    row = put(shelf, shelf.issued().hold(at=moment, by=UUID(int=1)))
    put(shelf, row.revoke(at=moment, reason=R.KEY_COMPROMISE, invalidity_date=moment))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        [[entry]] = tx.certificates.revoked(ISSUER, None, unexpired_at=tx.now)
        [changed] = tx.certificates.changed_entries(ISSUER, 0, unexpired_at=tx.now)
    assert tuple(entry) == (row.serial.hex, second, 1, second)
    assert (changed.id, changed.state, changed.revoked) == (row.id, CertificateState.REVOKED, tuple(entry))


def test_entries_come_in_the_order_of_the_digits(shelf: Any) -> None:
    serials = ["0a", "0102", "01", "ff", "0a00", "8000000000000000000000000000000001"]
    for serial in serials:
        put(shelf, shelf.intent(serial=Serial(int(serial, 16))).abandon(at=datetime.now(UTC)))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        [run] = tx.certificates.revoked(ISSUER, None, unexpired_at=tx.now)
    assert [serial for serial, *_ in run] == sorted(serials)


def test_every_change_of_an_entry_is_noted_for_the_complete_list_and_the_partitions(shelf: Any, clock: Any) -> None:
    intent = shelf.intent(partition=3)
    row = put(
        shelf, replace(intent, state=CertificateState.ISSUED, der=b"der", sha256=bytes(32), issued_at=clock.moment)
    )
    assert notes(shelf) == [], "what was never revoked has no entry"
    steps = [
        lambda one: one.hold(at=clock.moment, by=UUID(int=1)),
        lambda one: one.unhold(),
        lambda one: one.revoke(at=clock.moment, reason=R.SUPERSEDED),
        lambda one: one.revoke(at=clock.moment, reason=R.KEY_COMPROMISE),
    ]
    for number, step in enumerate(steps, start=1):
        row = put(shelf, step(row))
        assert (len(notes(shelf)), len(notes(shelf, 3)), len(notes(shelf, 2))) == (number, number, 0)
    put(shelf, replace(row, report_code_sha256=bytes(32)))
    assert len(notes(shelf)) == len(steps), "the entry is the same"
    put(shelf, shelf.intent().abandon(at=clock.moment))
    assert len(notes(shelf)) == len(steps) + 1


def test_a_change_by_raw_sql_is_noted_as_well(shelf: Any, engine: Engine) -> None:
    row = shelf.held()
    [before] = notes(shelf)
    with engine.begin() as connection:
        connection.execute(text("UPDATE certificates SET state = 'issued', revoked_at = NULL, reason = NULL"))
        for trigger in triggers.TRIGGERS:
            connection.execute(text(trigger.removal(connection.dialect.name)))
        connection.execute(
            text(
                "INSERT INTO certificates (id, issuer, serial, state, profile, profile_version, profile_digest, owner,"
                " subject, tbs, tbs_sha256, spki_sha256, not_before, not_after, partition, created_at, version, search)"
                " SELECT issuer, issuer, 'aa', 'revoked', profile, profile_version, profile_digest, owner, subject,"
                " tbs, tbs_sha256, spki_sha256, not_before, not_after, partition, created_at, 1, search"
                " FROM certificates"
            )
        )
    assert len(notes(shelf)) == 3
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        changed = tx.certificates.changed_entries(ISSUER, 0, unexpired_at=tx.now)
    assert {one.id: one.state.value for one in changed} == {row.id: "issued", ISSUER: "revoked"}
    assert before in notes(shelf)


def test_notes_that_were_seen_are_taken_out_and_later_ones_stay(
    shelf: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorities, "_NOTES", 2)
    rows = [shelf.held() for _ in range(3)]
    seen = notes(shelf)
    put(shelf, rows[0].unhold())
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.authorities.forget_changes(seen)
        tx.authorities.forget_changes([])
    assert len(notes(shelf)) == 1
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        [changed] = tx.certificates.changed_entries(ISSUER, 0, unexpired_at=tx.now)
    assert (changed.id, changed.state) == (rows[0].id, CertificateState.ISSUED)


def test_the_newest_list_is_found_by_its_kind_and_read_in_pieces(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorities, "_PIECE", dict.fromkeys(("sqlite", "postgresql"), 4))
    issuer = authority(shelf, "issuing").id
    bodies = {1: b"", 2: b"abc", 3: b"abcd", 4: b"abcdefghij"}
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.authorities.newest_crl_number(issuer, 0) == 0
        for number, base in ((1, None), (2, 1), (3, None), (4, 3)):
            tx.authorities.publish_crl(replace(crl(tx, issuer, number), base=base, der=bodies[number]))
            assert tx.authorities.newest_crl_number(issuer, 0) == number
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        full, delta = (tx.authorities.current_crl(issuer, 0, delta=delta) for delta in (False, True))
        assert [(one.number, one.base) for one in (full, delta)] == [(3, None), (4, 3)]
        for head in tx.all_rows.each(PublishedHead):
            assert tx.authorities.crl_bytes(head) == bodies[head.number]


def test_more_entries_than_are_read_at_once_all_come(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "ROWS", 4)
    monkeypatch.setattr(repository, "ENTRIES", 3)
    rows = [shelf.held() for _ in range(8)]
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for partition in (None, 0):
            runs = list(tx.certificates.revoked(ISSUER, partition, unexpired_at=tx.now))
            assert [len(run) for run in runs] == [3, 1, 3, 1]
            assert [serial for run in runs for serial, *_ in run] == sorted(row.serial.hex for row in rows)
