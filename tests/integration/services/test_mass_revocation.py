"""Many certificates are revoked as they were shown, by two people, once each, whoever is killed in between."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, update
from sqlalchemy.engine.default import DefaultDialect

from ca_core.domain.access import SYSTEM_ACTOR, Actor
from ca_core.domain.certificate import Certificate, CertificateState as S, RevocationReason as R
from ca_core.domain.errors import (
    ApprovalNeeded,
    InvalidInput,
    NotPermitted,
    Refused,
    SelfApproval,
    StaleVersion,
    WrongState,
)
from ca_core.domain.mass_revocation import MassRevocation, Selection
from ca_core.services import mass_revocation, mass_revocation_stretch
from ca_core.storage import tables as t, triggers
from pechatnik.cli import program as command_line
from tests.integration.kills import dying_commit


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mass_revocation_stretch, "STRETCH", 2)


@pytest.fixture
def five(house: Any) -> list[Certificate]:
    return [house.issued() for _ in range(5)]


def selection_of(certificates: list[Certificate]) -> Selection:
    return Selection(serials=frozenset(one.serial for one in certificates))


def ask(house: Any, selection: Selection, *, by: Actor | None = None, **options: Any) -> MassRevocation:
    said = {"reason": R.SUPERSEDED, "because": "the algorithm is broken", **options}
    office = house.services.mass_revocations
    shown = office.preview(by or house.officer, selection, **said)
    asked: MassRevocation = office.ask(by or house.officer, selection, digest=shown.digest, **said)
    return asked


def now_of(house: Any, certificate: Certificate) -> Certificate:
    found: Certificate = house.services.certificates.get(SYSTEM_ACTOR, certificate.id)
    return found


def test_all_that_was_shown_is_revoked_and_each_has_its_record(house: Any, five: list[Certificate], clock: Any) -> None:
    house.services.revocation.hold(house.officer, five[0].id, because="asked")
    held_since = clock()
    clock.advance(timedelta(hours=1))
    house.services.revocation.revoke(house.officer, five[1].id, reason=R.CESSATION_OF_OPERATION, because="closed")
    shown = house.services.mass_revocations.preview(
        house.officer, selection_of(five), reason=R.SUPERSEDED, because="the algorithm is broken"
    )
    assert (shown.count, shown.not_found) == (4, 1)
    assert sum(int(one["count"]) for one in shown.by) == 4
    assert {one["state"] for one in shown.by} == {"issued", "held"}
    mass = ask(house, selection_of(five))
    clock.advance(timedelta(hours=1))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    house.program.worker.run_once()
    done = house.services.mass_revocations.get(house.officer, mass.id)
    assert (done.done, done.revoked, done.finished_at) == (4, 4, clock())
    rows = [now_of(house, one) for one in five]
    assert [one.reason for one in rows] == [R.SUPERSEDED, R.CESSATION_OF_OPERATION, *[R.SUPERSEDED] * 3]
    assert rows[0].revoked_at == held_since, "a held certificate keeps the date it was put on hold"
    assert {one.revoked_at for one in rows[2:]} == {clock()}
    assert house.services.certificates.grounds(house.officer, five[2].id)[-1].words == "the algorithm is broken"
    assert house.services.audit.verify(house.auditor).faults == ()


def test_ocsp_list_letters_and_events_tell_of_each(house: Any, five: list[Certificate], clock: Any) -> None:
    mass = ask(house, selection_of(five))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    house.program.worker.run_once()
    for one in five:
        assert house.program.ocsp.status(one.issuer, one.serial).status == "revoked"
    assert house.program.crls.published(SYSTEM_ACTOR, "issuing", 0).entries == 5, "at once, before the letters"
    clock.advance(mass_revocation_stretch.LETTERS_AFTER)
    told = [one for one in house.services.notices.of(house.subscriber) if one.kind == "certificate-revoked"]
    assert {one.context["serial"] for one in told} == {one.serial.hex for one in five}
    jobs = house.services.jobs.list(house.officer, states=["new"], limit=100).items
    assert sum(one.kind == "event" and one.arguments["event"] == "certificate.revoked" for one in jobs) == 5
    assert sum(one.kind == "notice" and one.run_at == clock() for one in jobs) == 5


def test_invariant_10_no_answer_signed_before_outlives_it(house: Any, five: list[Certificate]) -> None:
    house.program.presigner.fill(SYSTEM_ACTOR, "issuing")
    counts = dict(house.program.presigner._store.counts())
    mass = ask(house, selection_of(five))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    house.services.mass_revocations.carry_out(mass.id)
    after = house.program.presigner._store.counts()
    assert {shelf: count - after[shelf] for shelf, count in counts.items()} == dict.fromkeys(counts, 5)


def test_invariant_14_what_is_asked_for_is_exactly_what_was_shown(house: Any, five: list[Certificate]) -> None:
    office = house.services.mass_revocations
    said = {"reason": R.SUPERSEDED, "because": "x y"}
    issuer = Selection(issuer=five[0].issuer)
    shown = office.preview(house.officer, issuer, **said)
    house.issued()
    for selection, other in ((issuer, {}), (selection_of(five), {"reason": R.UNSPECIFIED}), (issuer, {"because": "z"})):
        with pytest.raises(StaleVersion):
            office.ask(house.officer, selection, digest=shown.digest, **said | other)


def test_invariant_14_no_more_than_the_cap_and_no_selection_of_everything(
    house: Any, five: list[Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = house.services.mass_revocations
    with pytest.raises(InvalidInput, match="say which"):
        ask(house, Selection())
    with pytest.raises(InvalidInput, match="no such certificate"):
        ask(house, Selection(profile="no/such"))
    monkeypatch.setattr(office, "_cap", 4)
    with pytest.raises(Refused, match=r"revocation\.cap"):
        ask(house, selection_of(five))
    for reason in (R.CERTIFICATE_HOLD, R.CA_COMPROMISE):
        with pytest.raises(InvalidInput):
            ask(house, selection_of(five), reason=reason)
    with pytest.raises(InvalidInput, match="say why"):
        ask(house, selection_of(five), because="")


def test_invariant_12_one_person_alone_revokes_no_multitude(house: Any, five: list[Certificate]) -> None:
    office = house.services.mass_revocations
    mass = ask(house, selection_of(five))
    with pytest.raises(SelfApproval):
        office.approve(house.officer, mass.id, digest=mass.digest)
    for actor in (SYSTEM_ACTOR, house.operator, house.administrator, house.subscriber):
        with pytest.raises(NotPermitted):
            office.approve(actor, mass.id, digest=mass.digest)
    with pytest.raises(StaleVersion):
        office.approve(house.reviewer, mass.id, digest=bytes(32))
    with pytest.raises(WrongState, match="nobody approved"):
        office.carry_out(mass.id)
    with pytest.raises(ApprovalNeeded), house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        mass_revocation_stretch.revoke_stretch(tx, mass)  # as a mistake of ours would
    assert {now_of(house, one).state for one in five} == {S.ISSUED}
    office.approve(house.reviewer, mass.id, digest=mass.digest)
    with pytest.raises(WrongState, match="already"):
        office.approve(house.reviewer, mass.id, digest=mass.digest)


def test_only_officers_and_the_machine_ask(house: Any, five: list[Certificate]) -> None:
    for actor in (house.reviewer, house.operator, house.administrator, house.subscriber, house.auditor):
        with pytest.raises(NotPermitted):
            ask(house, selection_of(five), by=actor)
    assert ask(house, selection_of(five), by=SYSTEM_ACTOR).count == 5


def test_an_authority_is_never_among_them(house: Any, five: list[Certificate]) -> None:
    authorities = house.services.authorities.list(SYSTEM_ACTOR)
    own = [now_of(house, house.services.certificates.get(SYSTEM_ACTOR, one.certificate_id)) for one in authorities]
    with pytest.raises(InvalidInput, match="no such certificate"):
        ask(house, selection_of(own))
    for issuer in {one.issuer for one in own}:
        shown = house.services.mass_revocations.preview(
            house.officer, Selection(issuer=issuer), reason=R.SUPERSEDED, because="x"
        )
        assert shown.count in (0, 5)


def test_a_compromised_key_takes_its_other_certificates_along_and_is_blocked(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = (
        house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id) for _ in range(2)
    )
    mass = ask(house, selection_of([first]), reason=R.KEY_COMPROMISE)
    assert mass.count == 2, "shown before, not a surprise after"
    third = house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id)
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    house.services.mass_revocations.carry_out(mass.id)
    assert {now_of(house, one).reason for one in (first, second, third)} == {R.KEY_COMPROMISE}
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.certificates.is_blocked(first.spki_sha256)
    assert house.services.audit.verify(house.auditor).faults == ()


def test_what_was_revoked_since_stays_as_it_is(house: Any, five: list[Certificate]) -> None:
    mass = ask(house, selection_of(five))
    house.services.revocation.revoke(house.officer, five[3].id, reason=R.KEY_COMPROMISE, because="stolen")
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    done = house.services.mass_revocations.carry_out(mass.id)
    assert (done.done, done.revoked) == (5, 4)
    assert now_of(house, five[3]).reason is R.KEY_COMPROMISE
    assert house.services.mass_revocations.carry_out(mass.id) == done, "doing it twice does no harm"


TAMPERED: dict[str, Callable[[Any, MassRevocation], Any]] = {
    "a member is another": lambda five, mass: (
        update(t.mass_revocation_members).where(t.mass_revocation_members.c.position == 2).values(certificate=uuid4())
    ),
    "a member is gone": lambda five, mass: delete(t.mass_revocation_members).where(
        t.mass_revocation_members.c.position == 2
    ),
    "approved by another": lambda five, mass: update(t.mass_revocations).values(approved_by=mass.asked_by),
    "other words": lambda five, mass: update(t.mass_revocations).values(words="something else"),
    "the row is gone": lambda five, mass: delete(t.mass_revocations),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_change_past_the_services_is_found(house: Any, five: list[Certificate], case: str) -> None:
    mass = ask(house, selection_of(five))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    house.services.mass_revocations.carry_out(mass.id)
    assert house.services.audit.verify(house.auditor).faults == ()
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(TAMPERED[case](five, mass))
        triggers.create(connection)
    assert "mass_revocations" in {one.table for one in house.services.audit.verify(house.auditor).faults}


def test_members_that_were_passed_over_are_found(house: Any, five: list[Certificate]) -> None:
    """No trigger has to be dropped for it: how many are done may grow."""
    mass = ask(house, selection_of(five))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    with house.program.engine.begin() as connection:
        connection.execute(update(t.mass_revocations).values(done=len(five) - 1))
    house.services.mass_revocations.carry_out(mass.id)
    faults = house.services.audit.verify(house.auditor).faults
    assert any("was not revoked" in one.detail for one in faults)


def working(home: Path, point: int) -> int:
    """A worker that is killed at the n-th moment before or after a commit of the stretches; how it ended."""
    child = os.fork()
    if child == 0:
        try:
            do_commit = dying_commit(point)
            carry_out = mass_revocation.MassRevocationOffice.work

            def work(self: Any, job: Any) -> None:
                DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
                carry_out(self, job)

            mass_revocation.MassRevocationOffice.work = work  # type: ignore[method-assign]
            os._exit(command_line.run(["-q", "-c", str(home / "pechatnik.toml"), "worker", "--once"]))
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(99)
    return os.waitpid(child, 0)[1]


def test_invariant_15_a_killed_worker_loses_none_and_revokes_none_twice(
    house: Any, five: list[Certificate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PECHATNIK_TOKEN", raising=False)
    mass = ask(house, selection_of(five))
    house.services.mass_revocations.approve(house.reviewer, mass.id, digest=mass.digest)
    kills = 0
    for point in (1, 2, 2, 1, 2):
        house.program.engine.dispose()
        ended = working(tmp_path, point)
        kills += os.WIFSIGNALED(ended)
        house.program.engine.dispose()
        with house.program.engine.begin() as connection:  # its lease ran out
            connection.execute(update(t.jobs).where(t.jobs.c.state == "leased").values(lease_until=t.jobs.c.created_at))
    assert kills == 5
    assert os.waitstatus_to_exitcode(working(tmp_path, 0)) == 0
    house.program.engine.dispose()
    done = house.services.mass_revocations.get(house.officer, mass.id)
    assert (done.done, done.revoked) == (5, 5)
    for one in five:
        records = house.services.audit.list(house.auditor, object_id=str(one.id), limit=100)
        assert sum(record.action == "certificate.revoked" for record in records) == 1
    assert house.services.audit.verify(house.auditor).faults == ()
