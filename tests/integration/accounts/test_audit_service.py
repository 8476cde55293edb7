"""The audit trail in a real database: who reads it, what a seal covers, and what a forger with the database leaves."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from ca_core.domain.access import ROLE_PERMISSIONS, SYSTEM_ACTOR, Permission, Role
from ca_core.domain.errors import AuditBroken, NotFound, NotPermitted, WrongState
from ca_core.keys.last_seal import LastSealFile
from ca_core.keys.software import SoftwareKeyStore
from ca_core.services.audit import Audit
from ca_core.services.audit_file import verify_export
from ca_core.x509.pem import public_key_info, to_pem


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: how they lock and count is not the same."""
    return str(request.param)


def forge(engine: Engine, statement: str, **values: object) -> None:
    """As whoever owns the database can: triggers out of the way, then the statement."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            names = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
            ).scalars()
            for name in list(names):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("audit_records", "audit_checkpoints"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        assert connection.execute(text(statement), values).rowcount > 0


def busy(desk: Any, count: int = 4) -> None:
    for number in range(count):
        desk.person(f"person{number}")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_only_those_who_may_read_export_and_seal(desk: Any, role: Role) -> None:
    actor = desk.person("somebody", role).actor()
    for permission, attempt in (
        (Permission.AUDIT_VIEW, lambda: desk.audit.list(actor)),
        (Permission.AUDIT_VIEW, lambda: desk.audit.verify(actor)),
        (Permission.AUDIT_EXPORT, lambda: desk.audit.export(actor)),
        (Permission.AUDIT_SEAL, lambda: desk.audit.seal(actor)),
        (Permission.AUDIT_VIEW, lambda: desk.audit.public_key(actor)),
    ):
        if permission in ROLE_PERMISSIONS[role]:
            if permission is not Permission.AUDIT_VIEW:
                attempt()
        else:
            with pytest.raises(NotPermitted):
                attempt()


def test_records_are_listed_in_order_by_page_and_by_object(desk: Any) -> None:
    busy(desk, 5)
    first = desk.audit.list(SYSTEM_ACTOR, limit=2)
    rest = desk.audit.list(SYSTEM_ACTOR, after=first[-1].sequence)
    assert [record.sequence for record in [*first, *rest]] == [1, 2, 3, 4, 5]
    (only,) = desk.audit.list(SYSTEM_ACTOR, object_id=rest[0].object_id)
    assert only == rest[0]
    assert list(desk.audit.list(SYSTEM_ACTOR, object_id=str(uuid4()))) == []
    assert len(desk.audit.list(SYSTEM_ACTOR, limit=10**9, after=-5)) == 5


def test_the_newest_records_are_listed_in_their_order_too(desk: Any) -> None:
    busy(desk, 5)
    newest = desk.audit.list(SYSTEM_ACTOR, after=None, limit=2)
    assert [record.sequence for record in newest] == [4, 5]
    assert desk.audit.list(SYSTEM_ACTOR, after=None, object_id=newest[0].object_id) == [newest[0]]


def test_an_honest_trail_is_whole_and_a_seal_covers_it(desk: Any) -> None:
    busy(desk)
    assert desk.audit.verify(SYSTEM_ACTOR).sealed_up_to == 0
    checkpoint = desk.audit.seal(SYSTEM_ACTOR)
    assert checkpoint.sequence == 4
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert (report.ok, report.records, report.sealed_up_to) == (True, 4, 4)
    desk.person("later")
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert (report.ok, report.records, report.sealed_up_to) == (True, 5, 4)


def test_sealing_what_is_sealed_changes_nothing(desk: Any) -> None:
    busy(desk)
    checkpoint = desk.audit.seal(SYSTEM_ACTOR)
    desk.pass_time(hours=1)
    assert desk.audit.seal(SYSTEM_ACTOR) == checkpoint
    desk.person("later")
    assert desk.audit.seal(SYSTEM_ACTOR).sequence == 5


def test_there_is_nothing_to_seal_at_the_very_beginning(desk: Any) -> None:
    assert desk.audit.verify(SYSTEM_ACTOR).ok
    with pytest.raises(WrongState):
        desk.audit.seal(SYSTEM_ACTOR)
    desk.person("first")
    assert desk.audit.verify(SYSTEM_ACTOR).ok, "no key was made, so no seal is due"


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = 'x'",
        "action = 'x'",
        "object_kind = 'x'",
        "object_id = 'x'",
        "details = '{}'",
        "key_id = 'audit.000009.aaaaaaaa'",
        "at = (SELECT at FROM audit_records WHERE sequence = 4)",
        "actor = (SELECT id FROM accounts LIMIT 1)",
        "digest = (SELECT digest FROM audit_records WHERE sequence = 1)",
        "mac = (SELECT mac FROM audit_records WHERE sequence = 1)",
    ],
    ids=lambda change: change.split()[0],
)
def test_a_record_changed_in_the_database_shows_and_is_never_sealed(desk: Any, engine: Engine, change: str) -> None:
    for number in range(4):
        desk.person(f"person{number}")
        desk.pass_time(seconds=1)
    forge(engine, f"UPDATE audit_records SET {change} WHERE sequence = 3")
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert not report.ok
    assert report.first_broken == 3
    with pytest.raises(AuditBroken):
        desk.audit.seal(SYSTEM_ACTOR)


@pytest.mark.parametrize(("gone", "broken"), [("= 1", 1), ("= 3", 3), ("> 2", 3), ("> 0", 1)])
def test_a_record_removed_after_a_seal_shows(desk: Any, engine: Engine, gone: str, broken: int) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    forge(engine, f"DELETE FROM audit_records WHERE sequence {gone}")
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert not report.ok
    assert report.first_broken == broken


def test_a_tail_cut_off_and_grown_anew_does_not_pass_for_the_old_one(desk: Any, engine: Engine) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    forge(engine, "DELETE FROM audit_records WHERE sequence > 2")
    for name in ("a", "b", "c"):
        desk.person(name)
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert not report.ok
    assert report.first_broken == 4
    with pytest.raises(AuditBroken):
        desk.audit.seal(SYSTEM_ACTOR)


def cut(engine: Engine) -> None:
    """Everything from record 3 on, seals and all."""
    forge(engine, "DELETE FROM audit_records WHERE sequence > 2")
    forge(engine, "DELETE FROM audit_checkpoints WHERE sequence > 2")


@pytest.mark.parametrize("grown_to", [2, 4, 5])
def test_a_tail_cut_off_with_its_seals_shows_and_is_not_sealed_over(desk: Any, engine: Engine, grown_to: int) -> None:
    busy(desk)
    sealed = desk.audit.seal(SYSTEM_ACTOR)
    assert desk.audit.last_seal(SYSTEM_ACTOR) == sealed
    cut(engine)
    for number in range(2, grown_to):
        desk.person(f"other{number}")
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert not report.ok
    assert any("record 4" in reason for reason in report.reasons)
    for attempt in (desk.audit.seal, desk.audit.last_seal, desk.audit.seal):
        with pytest.raises(AuditBroken, match="record 4"):
            attempt(SYSTEM_ACTOR)
    assert desk.last_seal.read() == sealed, "what is kept is not given up"


def test_a_record_cut_to_nothing_shows(desk: Any, engine: Engine) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    forge(engine, "DELETE FROM audit_records")
    forge(engine, "DELETE FROM audit_checkpoints")
    assert not desk.audit.verify(SYSTEM_ACTOR).ok
    with pytest.raises(AuditBroken):
        desk.audit.seal(SYSTEM_ACTOR)


def test_a_chain_without_any_seal_is_not_whole_where_there_is_an_audit_key(
    desk: Any, engine: Engine, tmp_path: Path
) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    forge(engine, "DELETE FROM audit_checkpoints")
    assert desk.audit.verify(SYSTEM_ACTOR).ok, "the seal that is kept covers it"
    shutil.rmtree(tmp_path / "audit")
    report = desk.audit.verify(SYSTEM_ACTOR)
    assert not report.ok
    assert report.sealed_up_to == 0


def test_a_seal_that_is_not_kept_yet_is_kept_with_the_next_sealing(desk: Any, tmp_path: Path) -> None:
    busy(desk)
    sealed = desk.audit.seal(SYSTEM_ACTOR)
    shutil.rmtree(tmp_path / "audit")
    assert desk.audit.last_seal(SYSTEM_ACTOR) is None
    desk.audit.seal(SYSTEM_ACTOR)
    assert desk.audit.last_seal(SYSTEM_ACTOR) == sealed


def test_a_kept_seal_by_another_key_shows(desk: Any) -> None:
    busy(desk)
    sealed = desk.audit.seal(SYSTEM_ACTOR)
    desk.person("later")
    head = desk.records()[-1]
    desk.last_seal.keep(replace(sealed, sequence=head.sequence, digest=head.digest, signature=b"forged"))
    assert not desk.audit.verify(SYSTEM_ACTOR).ok
    assert desk.audit.seal(SYSTEM_ACTOR).sequence == head.sequence


def test_a_strangers_seal_on_a_rewritten_past_is_not_built_upon(desk: Any, engine: Engine, tmp_path: Path) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    forge(engine, "DELETE FROM audit_records WHERE sequence > 2")
    for name in ("a", "b", "c"):
        desk.person(name)
    keys = SoftwareKeyStore(tmp_path / "stranger", lambda: b"another", entropy=secrets.token_bytes)
    stranger = Audit(
        desk.transactions,
        keys=keys,
        symmetric=desk.symmetric_keys,
        last_seal=LastSealFile(tmp_path / "elsewhere"),
    )
    assert stranger.seal(SYSTEM_ACTOR).sequence == 5
    with pytest.raises(AuditBroken):
        desk.audit.seal(SYSTEM_ACTOR)
    assert not desk.audit.verify(SYSTEM_ACTOR).ok


def test_an_export_is_on_record_and_verifies_anywhere(desk: Any) -> None:
    busy(desk)
    desk.audit.seal(SYSTEM_ACTOR)
    auditor = desk.person("auditor", Role.AUDITOR).actor()
    lines = list(desk.audit.export(auditor))
    key = public_key_info(to_pem(desk.audit.public_key(auditor), "PUBLIC KEY").encode())
    report = verify_export(lines, trusted_public_keys=[key])
    assert (report.ok, report.records, report.sealed_up_to) == (True, 6, 4)
    assert desk.actions()[-1] == "audit.exported"
    assert not verify_export(lines[:-1], trusted_public_keys=[key]).ok
    assert not verify_export([lines[0], *lines[2:]], trusted_public_keys=[key]).ok


def test_an_export_of_more_than_a_page_is_complete(desk: Any) -> None:
    with desk.transactions.begin(SYSTEM_ACTOR) as tx:
        for number in range(2100):
            tx.audit.record("test.happened", "test", number, text="имя «x» \u202e", number=number, real=0.1)
    report = verify_export(desk.audit.export(SYSTEM_ACTOR), trusted_public_keys=())
    assert (report.ok, report.records) == (True, 2101)
    assert desk.audit.verify(SYSTEM_ACTOR).records == 2101


def test_there_is_no_audit_key_before_the_first_seal(desk: Any) -> None:
    with pytest.raises(NotFound):
        desk.audit.public_key(SYSTEM_ACTOR)
