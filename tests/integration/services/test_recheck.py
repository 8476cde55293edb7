"""The daily re-check: whatever it finds is an alarm that everybody who looks can see, and no day is left out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.services import verification
from ca_core.storage import triggers
from ca_core.storage.tables import audit_records, certificates, documents
from pechatnik.health import StateCollector
from pechatnik.readiness import examine


def records(house: Any, action: str) -> Any:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        return [one for one in tx.audit.records() if one.action == action]


def readiness(house: Any) -> Any:
    return next(one for one in examine(house.program) if one.name == "recheck")


def figures(house: Any) -> dict[str, float]:
    families = StateCollector(house.program).collect()
    return {one.name: one.samples[0].value for one in families if one.name.startswith("pechatnik_recheck")}


def a_round(house: Any) -> None:
    house.program.rounds._next.clear()
    house.program.work(once=True)


def day(house: Any) -> Any:
    today = house.program.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    return house.services.recheck.run(today, today + timedelta(days=1))


def sealed_files(house: Any) -> list[Path]:
    return sorted(path for path in (house.program.config.data / "documents").rglob("*") if path.is_file())


def break_signature(house: Any, certificate: Any) -> None:
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        changed = certificate.der[:-1] + bytes([certificate.der[-1] ^ 1])
        connection.execute(update(certificates).where(certificates.c.id == certificate.id).values(der=changed))
        triggers.create(connection)


def test_a_broken_signature_is_an_alarm_on_record_in_the_log_in_readiness_and_in_the_figures(
    house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = house.issued()
    assert day(house).reasons == []
    assert readiness(house).ok
    assert figures(house) == {"pechatnik_recheck_faults": 0, "pechatnik_recheck_seconds": 0}
    assert records(house, "alarm.integrity") == []
    break_signature(house, certificate)
    report = day(house)
    assert ("certificates", certificate.serial.hex) in {(one.table, one.object) for one in report.faults}
    [alarm] = records(house, "alarm.integrity")
    assert certificate.serial.hex in alarm.details["detail"]
    assert any(certificate.serial.hex in line.getMessage() for line in caplog.records if line.levelname == "ERROR")
    assert not readiness(house).ok
    assert figures(house)["pechatnik_recheck_faults"] == len(report.reasons)


def test_a_job_that_finds_a_broken_document_is_done_once(house: Any) -> None:
    house.submit(house.apply(house.signing()))
    sealed_files(house)[0].unlink()
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.jobs.enqueue("recheck", {"day": tx.now.date().isoformat()})
        [job] = [one for one in tx.jobs.find().items if one.kind == "recheck"]
    house.program.worker.run_once()
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        [done] = [one for one in tx.jobs.find().items if one.id == job.id]
    assert (done.state.value, done.attempt) == ("done", 1)
    [alarm] = records(house, "alarm.integrity")
    assert "missing" in alarm.details["detail"]


@pytest.mark.parametrize("damage", ["a folder in its place", "a key that is gone"])
def test_a_document_that_cannot_be_read_at_all_does_not_end_the_look_at_the_others(house: Any, damage: str) -> None:
    certificate = house.issued(house.signing())
    file = sealed_files(house)[0]
    if damage == "a folder in its place":
        file.unlink()
        file.mkdir()
    else:
        with house.program.engine.begin() as connection:
            triggers.drop(connection)
            connection.execute(
                update(documents).where(documents.c.id == UUID(file.name[:36])).values(key_id="documents-gone")
            )
            triggers.create(connection)
    break_signature(house, certificate)
    report = day(house)
    assert {(one.table, one.object) for one in report.faults} == {
        ("documents", file.name[:36]),
        ("certificates", certificate.serial.hex),
    }


def test_broken_documents_keep_no_other_from_its_turn(house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_DOCUMENTS", 1)
    house.submit(house.apply(house.signing()))
    for file in sealed_files(house):
        file.unlink()
    assert [len(day(house).faults) for _ in (1, 2) if clock.advance(timedelta(seconds=1))] == [1, 2]


def test_a_recheck_that_could_not_be_made_is_made_on_another_day(house: Any, clock: Any) -> None:
    a_round(house)
    clock.advance(timedelta(days=40))
    for _ in range(3):
        house.services.recheck.queue()
        with house.program.engine.begin() as connection:
            connection.execute(text("UPDATE jobs SET state = 'dead' WHERE kind = 'recheck' AND state = 'new'"))
        clock.advance(timedelta(days=1))
    a_round(house)
    assert records(house, "recheck.done")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE certificates SET state = 'weg'",
        "UPDATE notices SET state = 'weg'",
        "UPDATE accounts SET roles = ' bogus '",
        "UPDATE certificates SET serial = upper(serial)",
        "UPDATE documents SET state = 'weg'",
        "UPDATE authorities SET kind = 'weg'",
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_and_hides_no_other(house: Any, statement: str) -> None:
    house.issued(house.signing())
    sqlite = house.program.engine.dialect.name == "sqlite"
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        if not sqlite:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE applications SET note = 'changed'"))
        connection.execute(text(statement))
        triggers.create(connection)
    faults = house.services.audit.verify(house.auditor).faults
    assert {"applications", statement.split()[1]} <= {one.table for one in faults}
    day(house)
    [done], [alarm] = records(house, "recheck.done"), records(house, "alarm.integrity")
    assert statement.split()[1] in alarm.details["detail"] + str(done.details["record"])


def test_a_record_that_cannot_be_read_hides_no_other_row_of_its_table(house: Any) -> None:
    first, second = (house.issued() for _ in range(2))
    for one in (first, second):
        house.services.revocation.revoke(SYSTEM_ACTOR, one.id, reason=RevocationReason.SUPERSEDED, because="a test")
    forged = {"invalidity_date": "soon"}
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(update(certificates).values(owner=UUID(int=7)))
        for one in (first, second):
            of = audit_records.c.object_id == str(one.id), audit_records.c.action == "certificate.revoked"
            connection.execute(update(audit_records).where(*of).values(details=forged))
        triggers.create(connection)
    told = [one for one in house.services.audit.verify(house.auditor).faults if one.table == "certificates"]
    assert {first.serial.hex, second.serial.hex} < {one.object for one in told}, "and those of the authorities"
    assert not any("soon" in one.detail for one in told)


def test_a_record_that_is_no_record_is_a_fault_and_the_recheck_is_done(house: Any) -> None:
    house.issued()
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("UPDATE applications SET note = 'changed'"))
        no_value = "details = '['" if connection.dialect.name == "sqlite" else "at = 'infinity'"
        connection.execute(text(f"UPDATE audit_records SET {no_value} WHERE action = 'notice.queued'"))
        triggers.create(connection)
    faults = house.services.audit.verify(house.auditor).faults
    assert {"audit_records", "applications"} <= {one.table for one in faults}
    day(house)
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert [one.action for one in tx.audit.about(["daily"])] == ["recheck.done", "alarm.integrity"]


@pytest.mark.parametrize("damage", ["missing", "one byte", "another digest"])
def test_a_sealed_document_that_rots_is_named_until_it_is_restored(house: Any, damage: str) -> None:
    house.submit(house.apply(house.signing()))
    assert day(house).documents == 2
    file = sealed_files(house)[0]
    sound = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "one byte":
        file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    else:
        with house.program.engine.begin() as connection:
            triggers.drop(connection)
            connection.execute(update(documents).where(documents.c.id == UUID(file.name[:36])).values(sha256=bytes(32)))
            triggers.create(connection)
    for _ in range(2):
        assert {(one.table, one.object) for one in day(house).faults} == {("documents", file.name[:36])}
    if damage != "another digest":
        file.write_bytes(sound)
        assert day(house).reasons == []
        assert readiness(house).ok


def test_documents_are_opened_in_turn(house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_DOCUMENTS", 1)
    house.submit(house.apply(house.signing()))
    seen = []
    for _ in range(3):
        with house.program.transactions.read(SYSTEM_ACTOR) as tx:
            [(document, _)] = tx.documents.longest_unchecked(1)
        seen.append(document.id)
        clock.advance(timedelta(seconds=1))
        assert day(house).documents == 1
    assert seen[0] != seen[1]
    assert seen[2] == seen[0]


def test_destroyed_and_superseded_documents_are_left_alone(house: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.intake.withdraw(house.subscriber, application.id, version=house.current(application).version)
    clock.advance(timedelta(days=1000))
    assert house.services.retention.tick() == 2
    assert day(house).documents == 0


def test_days_without_a_worker_are_made_up_for(house: Any, clock: Any) -> None:
    house.issued()
    clock.advance(timedelta(days=1))
    a_round(house)
    house.issued()
    clock.advance(timedelta(days=4))
    a_round(house)
    first, second = records(house, "recheck.done")
    assert first.details["end"] == second.details["start"]
    assert datetime.fromisoformat(second.details["end"]) - datetime.fromisoformat(second.details["start"]) == timedelta(
        days=4
    )
    assert second.details["certificates"] == 1


def test_what_is_made_up_for_at_once_is_bounded(house: Any, clock: Any) -> None:
    clock.advance(timedelta(days=40))
    for _ in range(2):
        a_round(house)
    spans = [
        datetime.fromisoformat(one.details["end"]) - datetime.fromisoformat(one.details["start"])
        for one in records(house, "recheck.done")
    ]
    assert spans[0] == timedelta(days=verification.MOST_DAYS)
    assert sum(spans, timedelta()) >= timedelta(days=40)


def test_an_authority_that_is_not_checked_for_two_days_is_not_ready(house: Any, clock: Any) -> None:
    assert readiness(house).ok
    clock.advance(timedelta(days=2, minutes=1))
    assert not readiness(house).ok
    day(house)
    assert readiness(house).ok


def test_nothing_is_queued_before_anything_is_on_record(house: Any) -> None:
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("DELETE FROM audit_records"))
    house.services.recheck.queue()
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert [one for one in tx.jobs.find().items if one.kind == "recheck"] == []
