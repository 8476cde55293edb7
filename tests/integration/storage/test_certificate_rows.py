"""What the certificates' repository answers: for status, for lists, for reconciliation, for search."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Visibility
from ca_core.domain.certificate import Certificate, CertificateState, RevocationReason
from ca_core.domain.errors import Conflict, IntegrityAlarm, InvalidInput, NotFound, WrongState
from ca_core.domain.identifiers import Serial

OTHER_ISSUER = UUID(int=8)


def change(shelf: Any, row: Certificate, **changes: Any) -> Certificate:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        changed: Certificate = tx.certificates.replace(replace(row, **changes))
    return changed


def test_what_goes_in_comes_out(shelf: Any, clock: Any) -> None:
    clock.moment = clock.moment.replace(microsecond=123_457)
    certificate = shelf.held()
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        kept = tx.certificates.get(certificate.id, seen_by=EVERYTHING)
    assert kept == certificate
    assert kept.created_at.utcoffset() == timedelta(0)


def test_invariant_13_certificates_are_seen_by_owner_centre_or_all(shelf: Any) -> None:
    here, there = shelf.centre("C-1"), shelf.centre("C-2")
    anna, boris = shelf.account("anna"), shelf.account("boris")
    mine = shelf.intent(owner=anna, centre=here)
    own = shelf.intent()  # an authority's: of no centre
    matrix = {
        "owner": (Visibility(owner=anna), True, False),
        "centre": (Visibility(centres=frozenset({here, there})), True, False),
        "other centre": (Visibility(owner=boris, centres=frozenset({there})), False, False),
        "nobody": (Visibility(), False, False),
        "everything": (EVERYTHING, True, True),
    }
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for who, (seen_by, *expected) in matrix.items():
            found = {one.id for one in tx.certificates.find(seen_by=seen_by).items}
            assert [mine.id in found, own.id in found] == expected, who
            for row, visible in zip((mine, own), expected, strict=True):
                if visible:
                    assert tx.certificates.get(row.id, seen_by=seen_by) == row
                    assert tx.certificates.by_serial(row.serial, seen_by=seen_by) == row
                    continue
                with pytest.raises(NotFound):
                    tx.certificates.get(row.id, seen_by=seen_by)
                with pytest.raises(NotFound):
                    tx.certificates.by_serial(row.serial, seen_by=seen_by)


def test_a_serial_of_two_issuers_has_to_be_told_apart(shelf: Any) -> None:
    ours = shelf.intent()
    theirs = shelf.intent(issuer=OTHER_ISSUER, serial=ours.serial)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        with pytest.raises(Conflict):
            tx.certificates.by_serial(ours.serial, seen_by=EVERYTHING)
        assert tx.certificates.by_serial(ours.serial, seen_by=EVERYTHING, issuer=OTHER_ISSUER) == theirs
        assert tx.certificates.lookup(ours.issuer, ours.serial) == ours
        assert tx.certificates.lookup(UUID(int=9), ours.serial) is None
        assert tx.certificates.lookup(ours.issuer, Serial(1)) is None


def test_search_by_state_application_expiry_and_words(shelf: Any, clock: Any) -> None:
    application = shelf.application(shelf.account("a"), shelf.centre("C"), approvals_required=1)
    shelf.approve(application, shelf.account("b"))
    soon = shelf.intent(application, subject="CN=Ёлка 100%,O=Under_Line", not_after=clock() + timedelta(hours=1))
    issued = shelf.issued()
    fingerprint = issued.sha256.hex()
    questions: list[tuple[dict[str, Any], list[UUID]]] = [
        ({}, [issued.id, soon.id]),
        ({"states": [CertificateState.INTENT]}, [soon.id]),
        ({"states": ["issued", "held"]}, [issued.id]),
        ({"application": application.id}, [soon.id]),
        ({"expires_before": clock() + timedelta(hours=2)}, [soon.id]),
        ({"text": "ёЛКА"}, [soon.id]),
        ({"text": "100%"}, [soon.id]),
        ({"text": "r_l"}, [soon.id]),
        ({"text": "d_r"}, []),
        ({"text": "%"}, [soon.id]),
        ({"text": "\\"}, []),
        ({"text": issued.serial.hex.upper()}, [issued.id]),
        ({"text": ":".join(issued.serial.hex[at : at + 2] for at in range(0, 36, 2))}, [issued.id]),
        ({"text": fingerprint}, [issued.id]),
        ({"text": "f" * 40}, []),
        ({"text": "0000"}, []),
        ({"text": "' OR 1=1 --"}, []),
    ]
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        for question, expected in questions:
            found = tx.certificates.find(seen_by=EVERYTHING, **question)
            assert [one.id for one in found.items] == expected, question
        first = tx.certificates.find(seen_by=EVERYTHING, limit=1)
        assert first.next_cursor is not None
        second = tx.certificates.find(seen_by=EVERYTHING, limit=1, cursor=first.next_cursor)
        assert [one.id for one in (*first.items, *second.items)] == [issued.id, soon.id]
        assert second.next_cursor is None
        with pytest.raises(InvalidInput):
            tx.certificates.find(seen_by=EVERYTHING, cursor="nonsense")


def test_a_list_holds_what_is_held_revoked_or_given_up_and_has_not_run_out(shelf: Any, clock: Any) -> None:
    shelf.issued()
    shelf.intent()
    held = shelf.held()
    revoked = shelf.held()
    revoked = change(shelf, revoked.revoke(at=clock(), reason=RevocationReason.SUPERSEDED))
    given_up = change(shelf, shelf.intent(partition=3).abandon(at=clock()))
    change(shelf, shelf.intent(not_after=clock() + timedelta(seconds=1)).abandon(at=clock()))
    change(shelf, shelf.intent(issuer=OTHER_ISSUER).abandon(at=clock()))
    moment = clock() + timedelta(minutes=1)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:

        def listed(partition: int | None) -> list[str]:
            runs = tx.certificates.revoked(held.issuer, partition, unexpired_at=moment)
            return [serial for run in runs for serial, *_ in run]

        assert listed(None) == sorted(one.serial.hex for one in (held, revoked, given_up))
        assert listed(3) == [given_up.serial.hex]
        assert listed(4) == []


def test_after_a_streamed_read_one_writes_on(shelf: Any, clock: Any) -> None:
    issued = shelf.issued()
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        window = (clock() - timedelta(days=1), clock() + timedelta(days=1))
        assert list(tx.certificates.issued_between(*window)) == [issued]
        assert not list(tx.certificates.issued_between(window[1], window[1] + timedelta(days=1)))
        assert list(tx.certificates.all_ids()) == [issued.id]
        tx.certificates.replace(issued.hold(at=tx.now, by=UUID(int=1)))
        tx.audit.record("certificate.held", "certificate", issued.id)
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.certificates.get(issued.id, seen_by=EVERYTHING).state is CertificateState.HELD


def test_invariant_3_open_intents_are_found_again(shelf: Any, clock: Any) -> None:
    application = shelf.application(shelf.account("a"), shelf.centre("C"))
    shelf.approve(application, shelf.account("b"))
    intent = shelf.intent(application)
    later = shelf.intent()
    shelf.issued()
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.certificates.intents_of((application.id, intent.id)) == [intent]
        assert tx.certificates.stale_intents(intent.created_at, limit=10) == [intent]
        assert tx.certificates.stale_intents(clock(), limit=10) == [intent, later], "oldest first"
        assert tx.certificates.stale_intents(clock(), limit=1) == [intent]
    change(shelf, intent.abandon(at=clock()))
    with shelf.transactions.read(SYSTEM_ACTOR) as tx:
        assert not tx.certificates.intents_of((application.id,))
        assert tx.certificates.stale_intents(clock(), limit=10) == [later]


def test_invariant_3_what_was_given_up_is_never_signed_after_all(shelf: Any, engine: Engine) -> None:
    given_up = change(shelf, shelf.intent().abandon(at=shelf.clock()))
    for state in (CertificateState.ABANDONED, CertificateState.ISSUED):
        with pytest.raises(WrongState):
            change(shelf, given_up, state=state, der=b"der", sha256=bytes(32))
    with pytest.raises(WrongState):
        change(shelf, shelf.intent(), state=CertificateState.ISSUED)  # nor is anything issued without a signature
    with pytest.raises(WrongState):
        change(shelf, shelf.intent(), der=b"der", sha256=bytes(32))  # nor signed while it stays an intent
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("UPDATE certificates SET der = tbs WHERE state = 'abandoned'"))
    issued = shelf.issued()
    with pytest.raises(IntegrityAlarm):
        change(shelf, issued, issued_at=issued.issued_at + timedelta(days=1))


def test_report_codes_keys_in_use_and_the_block_list(shelf: Any, clock: Any) -> None:
    code, key = secrets.token_bytes(32), secrets.token_bytes(32)
    anna = shelf.account("anna")
    certificate = shelf.intent(owner=anna, spki_sha256=key, report_code_sha256=code)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.certificates.by_report_code(code) == certificate
        assert tx.certificates.by_report_code(bytes(32)) is None
        assert tx.certificates.key_owners((key, bytes(32))) == {(key, anna)}
        assert not tx.certificates.key_owners((bytes(32),))
        assert not tx.certificates.is_blocked(key)
        assert tx.certificates.block_key(key, "keyCompromise", clock())
        assert not tx.certificates.block_key(key, "keyCompromise", clock()), "it was there already"
        assert tx.certificates.is_blocked(key)
