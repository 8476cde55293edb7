"""The questions as the repositories really ask them: on SQLite each goes by an index of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Role, Visibility
from ca_core.domain.errors import NotFound
from ca_core.domain.identifiers import Serial

ID, DIGEST = UUID(int=1), bytes(32)
MINE = Visibility(owner=ID, centres=frozenset({ID}))


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest) -> str:
    """PostgreSQL reads small tables whole, whatever indexes they have."""
    return str(request.param)


@pytest.fixture
def plans(engine: Engine) -> Iterator[list[str]]:
    """How SQLite goes about each statement that selects."""
    found: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append(" | ".join(row[3] for row in cursor.fetchall()))

    yield found
    event.remove(engine, "before_cursor_execute", explain)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda tx: tx.certificates.lookup(ID, Serial(1)), "(issuer=? AND serial=?)"),
        (lambda tx: tx.certificates.by_serial(Serial(1), seen_by=EVERYTHING, issuer=ID), "(issuer=? AND serial=?)"),
        (lambda tx: tx.certificates.find(seen_by=EVERYTHING, application=ID), "ix_certificates_application"),
        (lambda tx: tx.certificates.find(seen_by=EVERYTHING, text="00" * 32), "(sha256=?)"),
        (lambda tx: tx.certificates.find(seen_by=MINE), "ix_certificates_owner_id"),
        (lambda tx: tx.certificates.find(seen_by=MINE), "ix_certificates_centre_id"),
        (lambda tx: list(tx.certificates.revoked(ID, None, unexpired_at=tx.now)), "ix_certificates_revoked_serial"),
        (lambda tx: list(tx.certificates.revoked(ID, 3, unexpired_at=tx.now)), "ix_certificates_revoked "),
        (lambda tx: tx.certificates.stale_intents(tx.now, limit=1), "ix_certificates_open_intents"),
        (lambda tx: tx.certificates.intents_of((ID,)), "application=?"),
        (lambda tx: tx.certificates.by_report_code(DIGEST), "(report_code_sha256=?)"),
        (lambda tx: tx.certificates.key_owners((DIGEST,)), "ix_certificates_spki_sha256"),
        (lambda tx: list(tx.certificates.issued_between(tx.now, tx.now)), "ix_certificates_issued_at"),
        (lambda tx: tx.applications.find(seen_by=MINE), "ix_applications_owner_id"),
        (lambda tx: tx.applications.count(seen_by=EVERYTHING, states=["draft"]), "ix_applications_state_state_since"),
        (lambda tx: tx.applications.find(seen_by=EVERYTHING, claimed_by=ID), "ix_applications_claimed_by"),
        (lambda tx: tx.applications.open_replacement_of(ID), "ix_applications_replaces"),
        (lambda tx: tx.applications.unmoved_since(tx.now, states=["draft"], limit=1), "state_state_since"),
        (lambda tx: tx.documents.of(ID), "ix_documents_application"),
        (lambda tx: tx.documents.viewed_by(ID, ID), "ix_documents_application"),
        (lambda tx: tx.accounts.with_role(Role.OPERATOR), "ix_accounts_staff"),
        (lambda tx: tx.accounts.by_email("a@example.org"), "(email=?)"),
        (lambda tx: tx.accounts.session_by_digest(DIGEST), "(token_sha256=?)"),
        (lambda tx: tx.accounts.tokens_among((DIGEST,)), "(token_sha256=?)"),
        (lambda tx: tx.jobs.oldest_due(), "ix_jobs_state_run_at"),
        (lambda tx: tx.jobs.lease("worker", seconds=1), "ix_jobs_state_run_at"),
        (lambda tx: tx.jobs.notices_of(ID), "ix_notices_account_id"),
        (lambda tx: tx.audit.records(object_id="x"), "ix_audit_records_object_id_sequence"),
        (lambda tx: tx.timestamps.last(ID), "ix_timestamps_tsa_gen_time"),
        (lambda tx: tx.timestamps.by_serial(Serial(1), seen_by=EVERYTHING), "(serial=?)"),
        (lambda tx: tx.timestamps.find(seen_by=MINE), "ix_timestamps_requested_by_sequence"),
        (lambda tx: tx.timestamps.find(seen_by=EVERYTHING, imprint_sha256=DIGEST), "ix_timestamps_imprint_sha256"),
        (lambda tx: list(tx.timestamps.between(1, 2)), "(sequence>? AND sequence<?)"),
        (lambda tx: tx.authorities.current_crl(ID, 0), "(authority=? AND partition=?)"),
    ],
)
def test_a_question_goes_by_its_index(shelf: Any, plans: list[str], ask: Callable[[Any], object], index: str) -> None:
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx, suppress(NotFound):
        ask(tx)
    plan = plans[-1]
    assert index in f"{plan} ", plan
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", ""), plan
