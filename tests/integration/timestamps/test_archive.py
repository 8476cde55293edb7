"""The archive: found page by page, by whoever may see it; compared with the record; verified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, literal, select, update

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import NotFound, NotPermitted, TimestampRefused
from ca_core.storage.tables import timestamps
from ca_core.x509 import der
from ca_core.x509.timestamp import granted, rejection
from tests.integration.services.test_comparison import forge
from tests.integration.timestamps.conftest import CONTENT, Office, info_of, request_for

T = timestamps.c


def test_the_list_goes_back_page_by_page(office: Office) -> None:
    office.stamp_all(5)
    archive = office.house.services.timestamp_archive
    seen, cursor = [], None
    while True:
        page = archive.find(office.house.auditor, cursor=cursor, limit=2)
        seen += [row.sequence for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [5, 4, 3, 2, 1]


def test_tokens_over_something_are_found_by_its_digest(office: Office) -> None:
    office.stamp_all(3)
    token = office.stamp()
    digest = request_for().imprint.digest
    assert [row.der for row in office.house.services.timestamp_archive.find(SYSTEM_ACTOR, digest=digest).items] == [
        token
    ]


def test_invariant_13_everybody_sees_his_own_tokens_and_auditors_all(office: Office) -> None:
    house, archive = office.house, office.house.services.timestamp_archive
    mine = info_of(office.stamp(actor=house.subscriber)).serial
    office.stamp()
    assert [row.serial for row in archive.find(house.subscriber).items] == [mine]
    assert archive.find(house.stranger).items == []
    assert len(archive.find(house.auditor).items) == 2
    assert archive.get(house.subscriber, mine).serial == mine
    with pytest.raises(NotFound):
        archive.get(house.stranger, mine)
    with pytest.raises(NotPermitted):
        archive.find(house.support)


SECOND = update(timestamps).where(T.sequence == 2)
COPIED = {column.name: column for column in T} | {"sequence": literal(5), "serial": literal("aa", T.serial.type.impl)}
FORGERIES = {
    "changed-policy": SECOND.values(policy="1.2.3"),
    "changed-token": SECOND.values(der=b"x"),
    "changed-time": SECOND.values(gen_time=datetime(2020, 1, 1, tzinfo=UTC)),
    "another-requester": SECOND.values(requested_by=UUID(int=7)),
    "removed": delete(timestamps).where(T.sequence == 2),
    "cut-off": delete(timestamps).where(T.sequence == 4),
    "added": insert(timestamps).from_select(list(COPIED), select(*COPIED.values()).where(T.sequence == 1)),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_token_that_was_changed_removed_or_added_shows(office: Office, forgery: Any) -> None:
    office.stamp()
    office.stamp_all(3)
    assert office.faults() == ()
    forge(office.house, forgery)
    assert {fault.table for fault in office.faults()} == {"timestamps"}


def test_a_token_proves_its_content_and_no_other(office: Office) -> None:
    archive = office.house.services.timestamp_archive
    token = office.stamp(request_for(algorithm="sha3_512"))
    verdict = archive.verify(granted(token), CONTENT)
    assert (verdict.valid, verdict.tsa, verdict.hash_algorithm) == (True, "tsa-1", "sha3_512")
    assert not archive.verify(token, b"another document").valid


def test_a_changed_token_proves_nothing(office: Office) -> None:
    archive = office.house.services.timestamp_archive
    token = office.stamp(request_for(nonce=9))
    for at in range(len(token)):
        assert not archive.verify(token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :], CONTENT).valid, at


@pytest.mark.parametrize(
    "data", [b"", b"0", bytes(100), granted(der.sequence()), rejection(TimestampRefused("no"))], ids=range(5)
)
def test_what_is_no_token_is_not_valid_and_no_error(office: Office, data: bytes) -> None:
    assert not office.house.services.timestamp_archive.verify(data, CONTENT).valid


@pytest.mark.parametrize(("reason", "holds"), [(R.SUPERSEDED, True), (R.KEY_COMPROMISE, False), (R.UNSPECIFIED, False)])
def test_after_a_revocation_earlier_tokens_hold_only_where_the_key_was_not_lost(
    office: Office, reason: R, holds: bool
) -> None:
    token = office.stamp()
    office.clock.advance(timedelta(minutes=1))
    office.house.services.revocation.revoke(SYSTEM_ACTOR, office.tsa.certificate_id, reason=reason, because="a test")
    assert office.house.services.timestamp_archive.verify(token, CONTENT).valid is holds
