"""Every trigger by raw SQL: the database refuses the statement with it, and would not without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ca_core.domain.access import EVERYTHING, PRIVILEGED, SYSTEM_ACTOR, Role
from ca_core.domain.algorithms import SignatureAlgorithm
from ca_core.domain.application import ApprovedContent
from ca_core.domain.audit import AuditCheckpoint
from ca_core.domain.authority import Authority, AuthorityKind, PublishedCrl
from ca_core.domain.certificate import CertificateState, Ground, RevocationReason
from ca_core.domain.identifiers import Serial
from ca_core.domain.importing import Import, ReadCertificate
from ca_core.domain.mass_revocation import Chosen, MassRevocation
from ca_core.domain.profile import Environment
from ca_core.domain.timestamp import Timestamp
from ca_core.domain.work import Notice
from ca_core.storage.engine import engine_for
from ca_core.storage.tables import metadata
from ca_core.storage.transactions import Transactions
from ca_core.storage.triggers import TRIGGERS

BY_NAME = {trigger.name: trigger for trigger in TRIGGERS}
ANOTHER = "'00000000000000000000000000000001'"


def copied(table: str, where: str, **changed: str) -> str:
    """SQL that inserts a copy of a row with some columns changed."""
    names = [column.name for column in metadata.tables[table].columns]
    values = ", ".join({"id": ANOTHER, **changed}.get(name, name) for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE {where}"


def approval(**changed: str) -> str:
    return copied("approvals", "application = '{approved}'", **changed)


def intent(**changed: str) -> str:
    values = {"serial": "'aa'", "approval_digest": "tbs_sha256"} | changed
    return copied("certificates", "state = 'intent'", **values)


def mass(**changed: str) -> str:
    return copied("mass_revocations", "id = '{asked}'", **changed)


def imported(**changed: str) -> str:
    """A row that would be taken in, if it were not for the change."""
    values = {"serial": "'aa'", "sha256": "tbs_sha256", "import_id": "'{open_import}'", "application": "NULL"} | changed
    return copied("certificates", "import_id = '{closed_import}'", **values)


def issued(change: str) -> str:
    return f"UPDATE certificates SET {change} WHERE id = '{{issued}}'"


def forbidden_steps() -> Iterator[str]:
    allowed = {("intent", "abandoned"), ("issued", "held"), ("issued", "revoked"), ("held", "issued"),
               ("held", "revoked")}  # fmt: skip
    states = [state.value for state in CertificateState]
    for before in states:
        for after in states:
            # From intent to issued it goes only together with the certificate itself, which is not in here.
            if before != after and (before, after) not in allowed:
                yield f"UPDATE certificates SET state = '{after}' WHERE state = '{before}'"


CASES: dict[str, dict[str, list[str]]] = {
    "invariant_12": {
        "approval_by_another": [approval(approver="'{owner}'"), approval(approver="'{editor}'")],
        "approval_of_this_round": [approval(approver="'{second}'", round="round + 1")],
        "approval_stays": ["UPDATE approvals SET round = 9", "UPDATE approvals SET approver = '{second}'"],
        "approval_is_kept": ["DELETE FROM approvals"],
        "snapshot_stays": ["UPDATE snapshots SET content = digest"],
        "snapshot_is_kept": ["DELETE FROM snapshots"],
        "editor_stays": ["UPDATE application_editors SET account = '{owner}' WHERE account = '{editor}'"],
        "editor_is_kept": ["DELETE FROM application_editors"],
        "application_identity_stays": [
            "UPDATE applications SET owner = '{second}' WHERE id = '{fresh}'",
            "UPDATE applications SET number = 'other' WHERE id = '{fresh}'",
        ],
        "application_terms_stay": [
            "UPDATE applications SET round = 1 WHERE id = '{later}'",
            "UPDATE applications SET approvals_required = 1 WHERE id = '{half}'",
        ],
        "certificate_is_approved": [
            intent(application="'{fresh}'"),
            intent(application="'{half}'"),
            intent(application="'{later}'"),
            intent(application="'{edited}'"),
            intent(application="'{approved}'", approval_digest="spki_sha256"),
        ],
        "privileged_account_is_confirmed": [
            copied("accounts", "id = '{owner}'", email="'new'", roles=f"' {role.value} '")
            for role in sorted(PRIVILEGED)
        ],
        "privileged_role_is_confirmed": [
            *(
                f"UPDATE accounts SET roles = ' {role.value} subscriber ' WHERE id = '{{owner}}'"
                for role in sorted(PRIVILEGED)
            ),
            "UPDATE accounts SET roles = ' administrator ' WHERE id = '{first}'",
            # What was confirmed once is not given a second time.
            "UPDATE accounts SET roles = ' operator ', version = 3 WHERE id = '{former}'",
        ],
        "account_change_stays": [
            *(
                f"UPDATE account_changes SET {change} WHERE decided_at IS NULL"
                for change in (
                    f"id = {ANOTHER}",
                    "account = '{owner}'",
                    "action = 'x'",
                    "roles = ' reviewer '",
                    "centres = '[1]'",
                    "asked_by = '{owner}'",
                    "asked_at = '{other_moment}'",
                )
            ),
            "UPDATE account_changes SET applied_version = 9 WHERE decided_at IS NOT NULL",
        ],
        "account_change_is_kept": ["DELETE FROM account_changes"],
    },
    "invariant_3": {
        "certificate_begins_as_intent": [
            *(intent(state=f"'{state.value}'") for state in CertificateState if state is not CertificateState.INTENT),
            intent(der="tbs"),
            intent(import_id="'{open_import}'", imported_status="''"),
            *(
                imported(**change)
                for change in (
                    {"import_id": "'{closed_import}'"},
                    {"import_id": "NULL"},
                    {"import_id": ANOTHER},
                    {"imported_status": "NULL"},
                    {"issuer": ANOTHER},
                    {"owner": ANOTHER},
                    {"state": "'abandoned'"},
                    {"state": "'intent'"},
                    {"sha256": "NULL"},
                )
            ),
        ],
        "certificate_origin_stays": [
            "UPDATE certificates SET import_id = '{open_import}' WHERE state = 'intent'",
            "UPDATE certificates SET import_id = NULL WHERE import_id IS NOT NULL",
            "UPDATE certificates SET imported_status = 'SUPERSEDED' WHERE import_id IS NOT NULL",
        ],
        "import_begins_open": [copied("imports", "id = '{closed_import}'")],
        "import_stays": [
            "UPDATE imports SET digest = 'x' WHERE id = '{closed_import}'",
            *(
                f"UPDATE imports SET count = 0, digest = 'x', {change} WHERE id = '{{open_import}}'"
                for change in (
                    f"id = {ANOTHER}",
                    f"issuer = {ANOTHER}",
                    f"owner = {ANOTHER}",
                    f"taken_by = {ANOTHER}",
                    "at = '{other_moment}'",
                )
            ),
        ],
        "import_is_counted": [
            "UPDATE imports SET count = 1, digest = 'x' WHERE id = '{open_import}'",
            "UPDATE imports SET digest = 'x' WHERE id = '{open_import}'",
            "UPDATE imports SET count = 0 WHERE id = '{open_import}'",
        ],
        "import_is_kept": ["DELETE FROM imports"],
        "certificate_content_stays": [
            issued(change)
            for change in (
                f"id = {ANOTHER}",
                f"issuer = {ANOTHER}",
                "serial = 'aa'",
                "profile = 'x'",
                "profile_version = 'x'",
                "profile_digest = tbs",
                "application = '{fresh}'",
                "approval_digest = tbs",
                f"owner = {ANOTHER}",
                "subject = 'x'",
                "tbs = tbs_sha256",
                "tbs_sha256 = tbs",
                "spki_sha256 = tbs",
                "not_before = not_after",
                "not_after = not_before",
                "partition = 9",
                "replaces = id",
                "created_at = not_after",
                "der = tbs",
                "sha256 = tbs",
                "sha256 = NULL",
            )
        ],
        "certificate_steps": [*forbidden_steps()],
        "certificate_is_kept": ["DELETE FROM certificates WHERE state = 'intent'"],
    },
    "invariant_14": {
        "mass_revocation_begins_unapproved": [
            mass(approved_by="'{first}'"),
            mass(done="1"),
            mass(revoked="1"),
            mass(finished_at="asked_at"),
        ],
        "mass_revocation_by_two": ["UPDATE mass_revocations SET approved_by = asked_by WHERE id = '{asked}'"],
        "mass_revocation_is_approved": [
            "UPDATE mass_revocations SET done = 1 WHERE id = '{asked}'",
            "UPDATE mass_revocations SET revoked = 1 WHERE id = '{asked}'",
            "UPDATE mass_revocations SET finished_at = asked_at WHERE id = '{asked}'",
            f"UPDATE mass_revocations SET done = 1, approved_by = {ANOTHER} WHERE id = '{{asked}}'",
        ],
        "mass_revocation_stays": [
            *(
                f"UPDATE mass_revocations SET {change} WHERE id = '{{asked}}'"
                for change in (
                    f"id = {ANOTHER}",
                    "selection = '[1]'",
                    "reason = 5",
                    "invalidity_date = asked_at",
                    "words = 'x y'",
                    "count = 9",
                    "digest = 'x'",
                    f"asked_by = {ANOTHER}",
                    "asked_at = '{other_moment}'",
                )
            ),
            "UPDATE mass_revocations SET approved_by = '{owner}' WHERE id = '{under_way}'",
            "UPDATE mass_revocations SET approved_at = '{other_moment}' WHERE id = '{under_way}'",
            "UPDATE mass_revocations SET done = 0 WHERE id = '{under_way}'",
        ],
        "mass_revocation_is_kept": ["DELETE FROM mass_revocations"],
        "member_before_approval": [
            copied("mass_revocation_members", "revocation = '{under_way}'", position="9"),
            copied("mass_revocation_members", "revocation = '{under_way}'", revocation=ANOTHER),
        ],
        "member_stays": [f"UPDATE mass_revocation_members SET certificate = {ANOTHER}"],
        "member_is_kept": ["DELETE FROM mass_revocation_members"],
        "certificate_stays_revoked": [
            f"UPDATE certificates SET {change} WHERE state = '{state}'"
            for state in ("revoked", "abandoned")
            for change in ("reason = 3", "reason = NULL", "revoked_at = not_after", "revoked_at = NULL")
        ],
    },
    "invariant_7": {
        "audit_record_stays": ["UPDATE audit_records SET actor_name = 'nobody'"],
        "audit_record_is_kept": ["DELETE FROM audit_records"],
        "audit_checkpoint_stays": ["UPDATE audit_checkpoints SET signature = digest"],
        "audit_checkpoint_is_kept": ["DELETE FROM audit_checkpoints"],
    },
    "invariant_8": {
        "crl_number_increases": [copied("published_crls", "number = 2", number="1")],
        "crl_stays": ["UPDATE published_crls SET number = 9"],
        "crl_is_kept": ["DELETE FROM published_crls"],
        "counter_increases": [
            "UPDATE counters SET value = value",
            "UPDATE counters SET value = value - 1",
            "UPDATE counters SET name = 'other', value = value + 1 WHERE name LIKE 'crl:%'",
        ],
        "counter_is_kept": ["DELETE FROM counters"],
    },
    "what_people_sent_and_what_is_blocked_stays": {
        "document_content_stays": [
            f"UPDATE documents SET {change} WHERE wrapped_key IS NOT NULL"
            for change in (
                f"id = {ANOTHER}",
                "kind = 'x'",
                "filename = 'x'",
                "media_type = 'x'",
                "size = 9",
                "pages = 9",
                "sha256 = wrapped_key",
                "application = '{fresh}'",
                f"uploaded_by = {ANOTHER}",
                "uploaded_at = '{other_moment}'",
            )
        ]
        + ["UPDATE documents SET wrapped_key = sha256 WHERE wrapped_key IS NULL"],
        "timestamp_in_its_place": [
            copied("timestamps", "sequence = 1", sequence="3", serial="'bb'"),
            copied("timestamps", "sequence = 1", sequence="2", serial="'bb'", gen_time="'{other_moment}'"),
        ],
        "timestamp_stays": ["UPDATE timestamps SET policy = '1.2.4'", "UPDATE timestamps SET der = imprint_sha256"],
        "timestamp_is_kept": ["DELETE FROM timestamps"],
        "document_is_kept": ["DELETE FROM documents"],
        "application_is_kept": ["DELETE FROM applications WHERE id = '{fresh}'"],
        "notice_stays": [
            *(
                f"UPDATE notices SET {change} WHERE state = 'queued'"
                for change in (
                    f"id = {ANOTHER}",
                    f"account = {ANOTHER}",
                    "kind = 'y'",
                    "context = '[1]'",
                    "application = '{fresh}'",
                    "created_at = '{other_moment}'",
                )
            ),
            "UPDATE notices SET state = 'queued' WHERE state = 'sent'",
            "UPDATE notices SET sent_at = '{other_moment}' WHERE state = 'sent'",
        ],
        "notice_is_kept": ["DELETE FROM notices"],
        "ground_stays": ["UPDATE certificate_grounds SET words = 'other'"],
        "ground_is_kept": ["DELETE FROM certificate_grounds"],
        "blocked_key_stays": ["UPDATE blocked_keys SET reason = 'x'"],
        "blocked_key_is_kept": ["DELETE FROM blocked_keys"],
    },
}


@dataclass
class World:
    """One row of each kind; nothing that the tests do stays in it."""

    engine: Engine
    names: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: Any, symmetric_keys: Any, shelf_of: Any) -> Iterator[World]:
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("triggers") / "test.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
    else:
        template = request.getfixturevalue("postgresql_template")
        url = request.getfixturevalue("copy_postgresql")(template, "test_trigger_cases")
    engine = engine_for(url, synchronous="NORMAL")
    yield World(engine, _filled(shelf_of(engine), other_moment="9" if request.param == "sqlite" else "1999-01-01Z"))
    engine.dispose()


def _filled(shelf: Any, other_moment: str) -> dict[str, str]:
    transactions: Transactions = shelf.transactions
    centre = shelf.centre("C")
    owner, editor = shelf.account("owner"), shelf.account("editor", Role.OPERATOR)
    first, second = shelf.account("first", Role.OPERATOR), shelf.account("second", Role.REVIEWER)
    approved, fresh, later, edited = (shelf.application(owner, centre) for _ in range(4))
    half = shelf.application(owner, centre, approvals_required=2)
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.add_editor(approved.id, editor)
    for application in (approved, later, half, edited):
        shelf.approve(application, first)
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.replace(replace(later, round=2))
        tx.applications.add_editor(edited.id, first)
    former = shelf.account("former", Role.OPERATOR)
    with transactions.begin(SYSTEM_ACTOR) as tx:
        account = tx.accounts.get(former, seen_by=EVERYTHING)
        tx.accounts.replace(replace(account, roles=frozenset({Role.SUBSCRIBER})))
        shelf.confirm(tx, account, asked_by=second, confirmed_by=None, decided_at=None, applied_version=None)
    shelf.intent()
    certificate = shelf.issued()
    held, revoked, abandoned = shelf.held(), shelf.held(), shelf.intent()
    destroyed = shelf.document(approved)
    shelf.document(approved)
    with transactions.begin(SYSTEM_ACTOR) as tx:
        tx.certificates.replace(revoked.revoke(at=tx.now, reason=RevocationReason.SUPERSEDED))
        tx.certificates.replace(abandoned.abandon(at=tx.now))
        tx.documents.replace(replace(destroyed, wrapped_key=None))
        tx.certificates.block_key(bytes(32), "keyCompromise", tx.now)
        tx.certificates.add_ground(
            Ground(id=tx.new_id(), certificate=revoked.id, action="revoked", by="first", at=tx.now, words="lost")
        )
        tx.applications.keep_approved(ApprovedContent(digest=bytes(32), content=b"{}", at=tx.now))
        for notice in (tx.new_id(), tx.new_id()):
            tx.jobs.add_notice(Notice(id=notice, account=owner, kind="x", created_at=tx.now))
        tx.jobs.mark_sent(notice, tx.now)
        tx.audit.record("test.done", "test", 1)
        tx.timestamps.add_all(
            [
                Timestamp(
                    sequence=1, tsa=owner, serial=Serial(1), gen_time=tx.now, policy="1.2.3", hash_algorithm="sha256",
                    imprint_sha256=bytes(32), requested_by=owner, der=b"x",
                )
            ]
        )  # fmt: skip
        tx.audit.add_checkpoint(
            AuditCheckpoint(
                sequence=1, digest=bytes(32), at=tx.now, key_reference="audit", public_key_info=b"k", signature=b"s"
            )
        )
        authority = Authority(
            id=tx.new_id(), name="issuing", kind=AuthorityKind.ISSUING, parent=None,
            environment=Environment.PRODUCTION, key_reference="issuing", certificate=b"x",
            signature_algorithm=SignatureAlgorithm.ECDSA_SHA256, certificate_id=held.id,
            key_identifier=bytes(20), not_before=tx.now, not_after=tx.now, created_at=tx.now,
        )  # fmt: skip
        tx.authorities.add(authority)
        tx.authorities.next_crl_number(authority.id, 0)
        tx.authorities.publish_crl(
            PublishedCrl(
                id=tx.new_id(), authority=authority.id, partition=0, number=2, this_update=tx.now,
                next_update=tx.now, entries=0, der=b"x", sha256=bytes(32),
            )
        )  # fmt: skip
        asked, under_way = (
            MassRevocation(
                id=tx.new_id(), selection={}, reason=RevocationReason.SUPERSEDED, invalidity_date=None, words="x",
                count=2, digest=bytes(32), asked_by=second, asked_at=tx.now,
            )
            for _ in range(2)
        )  # fmt: skip
        member = Chosen(
            certificate.id, certificate.issuer, certificate.serial, certificate.state, "", 0, None, owner, bytes(32)
        )
        for revocation in (asked, under_way):
            tx.mass_revocations.add(revocation)
            tx.mass_revocations.add_members(revocation.id, [member])
        approved_one = tx.mass_revocations.replace(replace(under_way, approved_by=first, approved_at=tx.now))
        tx.mass_revocations.replace(replace(approved_one, done=1))
        closed, still_open = (
            Import(
                id=tx.new_id(), issuer=certificate.issuer, owner=SYSTEM_ACTOR.id, at=tx.now, taken_by=SYSTEM_ACTOR.id
            )
            for _ in range(2)
        )
        read = ReadCertificate("bb", b"x", b"x", b"s" * 32, b"t" * 32, b"k" * 32, "CN=x", tx.now, tx.now)
        for one in (closed, still_open):
            tx.imports.add(one)
        tx.imports.add_rows(closed, [(tx.new_id(), read, None)])
        tx.imports.close(replace(closed, count=1, digest=bytes(32)))
    ids = {
        "asked": asked.id,
        "under_way": under_way.id,
        "open_import": still_open.id, "closed_import": closed.id,
        "owner": owner, "editor": editor, "first": first, "second": second, "former": former, "approved": approved.id,
        "fresh": fresh.id, "later": later.id, "edited": edited.id, "half": half.id, "issued": certificate.id,
    }  # fmt: skip
    return {name: id.hex for name, id in ids.items()} | {"other_moment": other_moment}


def refused_only_with(world: World, name: str) -> None:
    trigger = BY_NAME[name]
    for group in CASES.values():
        for case in group.get(name, []):
            statement = case.format(**world.names)
            with world.engine.connect() as connection, pytest.raises(DBAPIError, match=rf"\b{trigger.refusal}\b"):
                connection.exec_driver_sql(statement.replace("%", "%%"))
            with world.engine.connect() as connection, connection.begin() as transaction:
                connection.exec_driver_sql(trigger.removal(connection.dialect.name))
                assert connection.exec_driver_sql(statement.replace("%", "%%")).rowcount > 0, statement
                transaction.rollback()


@pytest.mark.parametrize("name", CASES["invariant_3"])
def test_invariant_3_a_certificate_begins_as_intent_and_stays_what_it_is(world: World, name: str) -> None:
    refused_only_with(world, name)


@pytest.mark.parametrize("name", CASES["invariant_7"])
def test_invariant_7_what_is_recorded_stays(world: World, name: str) -> None:
    refused_only_with(world, name)


@pytest.mark.parametrize("name", CASES["invariant_8"])
def test_invariant_8_numbers_of_lists_increase(world: World, name: str) -> None:
    refused_only_with(world, name)


@pytest.mark.parametrize("name", CASES["invariant_12"])
def test_invariant_12_somebody_else_approves_exactly_this(world: World, name: str) -> None:
    refused_only_with(world, name)


@pytest.mark.parametrize("name", CASES["invariant_14"])
def test_invariant_14_revocation_only_goes_up(world: World, name: str) -> None:
    refused_only_with(world, name)


@pytest.mark.parametrize("name", CASES["what_people_sent_and_what_is_blocked_stays"])
def test_what_people_sent_and_what_is_blocked_stays(world: World, name: str) -> None:
    refused_only_with(world, name)


def test_every_trigger_has_a_case() -> None:
    tested = [name for group in CASES.values() for name in group]
    assert sorted(tested) == sorted(BY_NAME)


def test_no_row_is_lost_by_another_way(world: World) -> None:
    kept = sorted(trigger.table for trigger in TRIGGERS if trigger.event == "DELETE")
    sqlite = world.engine.dialect.name == "sqlite"
    for table in kept:
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if sqlite else f"TRUNCATE {table} CASCADE"
        with world.engine.connect() as connection, pytest.raises(DBAPIError):
            connection.exec_driver_sql(statement)
