"""Imported rows changed past the services, triggers and all: the comparison with the record finds each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Executable, delete, insert, select, update

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.identifiers import Serial
from ca_core.storage import tables as t, triggers

C = t.certificates.c
FLAGS = x509.ReasonFlags


def forge(house: Any, statement: Executable) -> None:
    """As whoever owns the database can."""
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(statement)
        triggers.create(connection)


def one(common: str) -> Any:
    return update(t.certificates).where(C.subject.like(f"CN={common},%"))


def another(house: Any, former: Any) -> Executable:
    """A row beside the others, which nobody took in."""
    with house.program.engine.connect() as connection:
        row = dict(connection.execute(select(t.certificates).where(C.subject.like("CN=good,%"))).mappings().one())
    der = former.ders(former.issue("invented"))
    changed = {
        "id": uuid4(),
        "serial": Serial(4711),
        "der": der,
        "sha256": hashlib.sha256(der).digest(),
    }
    return insert(t.certificates).values(row | changed)


CASES: dict[str, tuple[Callable[[Any, Any], Executable], str]] = {
    "revoked set back": (lambda *_: one("gone").values(state="issued", revoked_at=None, reason=None), "gone"),
    "reason changed": (lambda *_: one("gone").values(reason=5), "gone"),
    "good made revoked": (
        lambda *_: one("good").values(state="revoked", reason=4, revoked_at=C.created_at),
        "good",
    ),
    "status and state changed together": (
        lambda *_: one("gone").values(state="issued", revoked_at=None, reason=None, imported_status=""),
        "imports",
    ),
    "subject changed": (lambda *_: one("good").values(subject="CN=good, O=Other"), "good"),
    "owner changed": (lambda house, _: one("good").values(owner=house.stranger.id), "good"),
    "validity changed": (lambda *_: one("good").values(not_after=C.not_before), "good"),
    "bytes changed": (lambda *_: one("good").values(der=C.tbs), "good"),
    "partition changed": (lambda *_: one("good").values(partition=3), "good"),
    "row removed": (lambda *_: delete(t.certificates).where(C.subject.like("CN=good,%")), "imports"),
    "row added": (another, "imports"),
    "row put into no import": (lambda *_: one("good").values(import_id=uuid4()), "good"),
    "import removed": (lambda *_: delete(t.imports), "imports"),
    "import given to another": (lambda house, _: update(t.imports).values(owner=house.stranger.id), "imports"),
    "import counted anew": (lambda *_: update(t.imports).values(count=9), "imports"),
}


@pytest.fixture
def taken(take_in: Any, former: Any) -> None:
    good, gone = (former.issue(common, key=ec.generate_private_key(ec.SECP256R1())) for common in ("good", "gone"))
    take_in(former.bundle(good, gone), crl=former.crl([(gone, FLAGS.superseded)]))


@pytest.mark.parametrize("case", CASES)
def test_a_change_past_the_services_is_found(house: Any, taken: None, former: Any, case: str) -> None:
    assert house.services.audit.verify(house.auditor).faults == ()
    make, where = CASES[case]
    serials = {
        row.subject.split(",")[0].removeprefix("CN="): row.serial.hex
        for row in house.services.certificates.list(house.officer, text="O=Former").items
    }
    forge(house, make(house, former))
    faults = house.services.audit.verify(house.auditor).faults
    assert faults
    tables = {one.table for one in faults}
    assert where in tables or serials[where] in {one.object for one in faults}, faults


def test_later_changes_on_record_are_no_fault(house: Any, taken: None) -> None:
    (good,) = house.services.certificates.list(house.officer, text="CN=good").items
    (gone,) = house.services.certificates.list(house.officer, text="CN=gone").items
    revocation = house.services.revocation
    revocation.hold(house.officer, good.id, because="asked")
    revocation.revoke(house.officer, gone.id, reason=R.KEY_COMPROMISE, because="told later")
    assert house.services.audit.verify(house.auditor).faults == ()
    forge(house, one("good").values(state="issued", revoked_at=None, reason=None, held_by=None))
    faults = house.services.audit.verify(house.auditor).faults
    assert {one.object for one in faults} == {good.serial.hex}


def test_what_was_issued_here_is_no_import_afterwards(house: Any, taken: None) -> None:
    own = house.issued()
    with house.program.engine.connect() as connection:
        import_id = connection.execute(select(t.imports.c.id).limit(1)).scalar_one()
    forge(house, update(t.certificates).where(C.id == own.id).values(import_id=import_id, imported_status=""))
    assert "imports" in {one.table for one in house.services.audit.verify(house.auditor).faults}
    assert house.services.certificates.get(SYSTEM_ACTOR, own.id).import_id == import_id
