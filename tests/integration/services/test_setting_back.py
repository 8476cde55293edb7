"""Whoever writes the database sets certificates back behind the services: the record and the lists tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Executable, delete, text, update

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import IntegrityAlarm
from ca_core.services.comparison import by_object
from ca_core.services.replacement_reason import Circumstance
from ca_core.storage.tables import applications, audit_records, blocked_keys, certificates, published_crls
from ca_core.storage.triggers import TRIGGERS

GOOD_AGAIN = {"state": "issued", "reason": None, "revoked_at": None, "held_by": None}


def forge(house: Any, *statements: Executable) -> None:
    """As whoever owns the database can: triggers out of the way, then the statements."""
    with house.program.engine.begin() as connection:
        for trigger in TRIGGERS:
            connection.execute(text(trigger.removal(connection.dialect.name)))
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


def row(certificate: Any, **values: object) -> Executable:
    return update(certificates).where(certificates.c.id == certificate.id).values(**values)


def revoked(house: Any, reason: R = R.SUPERSEDED) -> Any:
    return house.services.revocation.revoke(SYSTEM_ACTOR, house.issued().id, reason=reason, because="a test")


def verify(house: Any) -> Any:
    return house.services.audit.verify(house.auditor)


def current(house: Any) -> Any:
    return house.program.crls.published(SYSTEM_ACTOR, "issuing", 0)


def publish(house: Any) -> Any:
    return house.program.crls.issue(SYSTEM_ACTOR, "issuing")[0]


def test_states_that_came_through_the_services_are_those_on_record(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_object, "BATCH", 2)
    held, lifted, again = house.issued(), house.issued(), house.issued()
    for one in (held, lifted, again):
        house.services.revocation.hold(house.subscriber, one.id)
    house.services.revocation.hold(house.officer, held.id, because="a test")
    house.services.revocation.unhold(SYSTEM_ACTOR, lifted.id, because="a test")
    house.services.revocation.revoke(SYSTEM_ACTOR, again.id, reason=R.SUPERSEDED, because="a test")
    house.services.revocation.revoke(SYSTEM_ACTOR, again.id, reason=R.KEY_COMPROMISE, because="a test")
    house.services.replacement.report(house.subscriber, house.issued().id, circumstance=Circumstance.LOST)
    assert verify(house).ok


def test_a_certificate_set_back_to_issued_is_named_with_its_record(house: Any) -> None:
    certificate = revoked(house)
    forge(house, row(certificate, **GOOD_AGAIN))
    report = verify(house)
    assert not report.ok
    [record] = [
        one
        for one in house.services.audit.list(house.auditor, object_id=str(certificate.id))
        if one.action == "certificate.revoked"
    ]
    assert report.first_broken == record.sequence
    assert report.reasons[0] == (
        f"certificates {certificate.serial.hex}: state is issued, by record {record.sequence} revoked"
    )
    assert {(one.table, one.object, one.record) for one in report.faults} == {
        ("certificates", certificate.serial.hex, record.sequence)
    }


@pytest.mark.parametrize("became", ["issued", "held", "another reason", "gone"])
def test_every_other_state_than_the_recorded_one_breaks_the_verification(house: Any, became: str) -> None:
    certificate = revoked(house, R.CESSATION_OF_OPERATION)
    forge(
        house,
        update(applications).where(applications.c.certificate == certificate.id).values(certificate=None),
        {
            "issued": row(certificate, **GOOD_AGAIN),
            "held": row(certificate, state="held", reason=int(R.CERTIFICATE_HOLD), held_by=certificate.owner),
            "another reason": row(certificate, reason=int(R.SUPERSEDED)),
            "gone": row(certificate, id=uuid4()),
        }[became],
    )
    report = verify(house)
    assert not report.ok
    assert certificate.serial.hex in report.reasons[0]


def test_a_hold_that_was_lifted_past_the_services_shows(house: Any) -> None:
    certificate = house.services.revocation.hold(SYSTEM_ACTOR, house.issued().id, because="a test")
    forge(house, row(certificate, **GOOD_AGAIN))
    reason = verify(house).reasons[0]
    assert reason.startswith(f"certificates {certificate.serial.hex}: state is issued, by record")
    assert reason.endswith(" held")


def test_a_compromised_key_taken_off_the_block_list_shows(house: Any) -> None:
    certificate = revoked(house, R.KEY_COMPROMISE)
    assert verify(house).ok
    forge(house, delete(blocked_keys))
    report = verify(house)
    assert not report.ok
    assert report.reasons[0].endswith("its key is compromised and not on the block list")
    assert certificate.serial.hex in report.reasons[0]


def test_a_forged_record_does_not_excuse_the_row(house: Any) -> None:
    certificate = revoked(house)
    forge(
        house,
        row(certificate, **GOOD_AGAIN),
        update(audit_records)
        .where(audit_records.c.object_id == str(certificate.id), audit_records.c.action == "certificate.revoked")
        .values(action="certificate.unheld", object_id="nothing", details=[]),
    )
    assert not verify(house).ok


def test_the_daily_recheck_puts_it_on_record(house: Any, clock: Any) -> None:
    certificate = revoked(house)
    forge(house, row(certificate, **GOOD_AGAIN))
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("recheck", {"day": clock().date().isoformat()})
        [job] = [one for one in tx.jobs.find().items if one.kind == "recheck"]
    house.services.recheck.of_day(job)
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        [done] = [one for one in tx.audit.records() if one.action == "recheck.done"]
    assert certificate.serial.hex in done.details["record"][0]


def test_no_list_is_published_without_a_certificate_that_was_set_back(house: Any) -> None:
    certificate = revoked(house)
    before = publish(house)
    assert before.entries == 1
    forge(house, row(certificate, **GOOD_AGAIN))
    with pytest.raises(IntegrityAlarm, match=certificate.serial.hex):
        publish(house)
    assert current(house) == before
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.audit.records(object_id=str(certificate.issuer))[-1].action == "alarm.integrity"


@pytest.mark.parametrize("change", ["gone", "an intent again", "of another partition"])
def test_no_entry_of_the_former_list_disappears_otherwise(open_house: Any, change: str) -> None:
    house = open_house(partitions=2)
    certificate = revoked(house)
    partition = certificate.partition
    house.program.crls.issue(SYSTEM_ACTOR, "issuing", partition=partition)
    forge(
        house,
        {
            "gone": row(certificate, issuer=uuid4()),
            "an intent again": row(certificate, **{**GOOD_AGAIN, "state": "intent"}),
            "of another partition": row(certificate, partition=3 - partition),
        }[change],
    )
    with pytest.raises(IntegrityAlarm):
        house.program.crls.issue(SYSTEM_ACTOR, "issuing", partition=partition)


def test_an_entry_leaves_the_list_when_it_was_unheld_on_record(house: Any) -> None:
    certificate = house.issued()
    for _ in range(3):
        house.services.revocation.hold(house.subscriber, certificate.id)
        assert publish(house).entries == 1
        house.services.revocation.unhold(SYSTEM_ACTOR, certificate.id, because="a test")
        assert publish(house).entries == 0


def test_an_entry_leaves_the_list_after_its_certificate_expired(house: Any, clock: Any) -> None:
    certificate = revoked(house)
    assert publish(house).entries == 1
    clock.moment = certificate.not_after
    assert publish(house).entries == 1, "once more after the end"
    clock.advance(current(house).next_update - current(house).this_update)
    publish(house)
    assert publish(house).entries == 0


def test_a_certificate_that_was_set_back_stops_the_lists_until_its_end_only(house: Any, clock: Any) -> None:
    certificate = revoked(house)
    publish(house)
    forge(house, row(certificate, **GOOD_AGAIN))
    clock.moment = certificate.not_after
    with pytest.raises(IntegrityAlarm):
        publish(house)
    clock.advance(timedelta(seconds=1))
    assert publish(house).entries == 0


def test_a_former_list_that_cannot_be_read_stops_the_next(house: Any) -> None:
    publish(house)
    forge(house, update(published_crls).values(der=b"\x30\x00"))
    with pytest.raises(IntegrityAlarm):
        publish(house)


@pytest.mark.parametrize("change", ["gone", "the newest gone", "another digest of it", "another number"])
def test_no_list_follows_one_that_is_not_the_last_on_record(house: Any, change: str) -> None:
    certificate = revoked(house)
    for _ in range(2):
        publish(house)
    newest = published_crls.c.id == current(house).id
    of = published_crls.c.authority == certificate.issuer
    other = {"der": other_list(house), "sha256": bytes(32)}
    forge(
        house,
        row(certificate, **GOOD_AGAIN),
        {
            "gone": delete(published_crls).where(of),
            "the newest gone": delete(published_crls).where(newest),
            "another digest of it": update(published_crls).where(newest).values(**other),
            "another number": update(published_crls).where(newest).values(number=77),
        }[change],
    )
    with pytest.raises(IntegrityAlarm, match="record"):
        publish(house)
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.audit.records(object_id=str(certificate.issuer))[-1].action == "alarm.integrity"


def other_list(house: Any) -> bytes:
    """A sound list, which is not the one that is due: the root's."""
    der: bytes = house.program.crls.published(SYSTEM_ACTOR, "root", 0).der
    return der


def test_a_number_that_was_taken_for_a_signature_that_failed_is_no_list(house: Any) -> None:
    before = publish(house)
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.authorities.next_crl_number(before.authority, 0)
    assert publish(house).number == before.number + 2


def test_each_of_several_lists_follows_its_own_last_one(open_house: Any) -> None:
    house = open_house(partitions=2)
    for _ in range(3):
        assert len(house.program.crls.issue(SYSTEM_ACTOR, "issuing")) == 3
    assert verify(house).ok
