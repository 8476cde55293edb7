"""Issuing for many at once: two transactions for all of them, and each refused, or failing, by himself."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.certificate import Certificate, CertificateState
from ca_core.domain.errors import ApprovalNeeded, CaError, KeyUnavailable, NotFound, StaleVersion, WeakKey
from ca_core.services import issuance, issuance_case, issuance_order
from ca_core.services.issuance_order import Wanted


def wanted(house: Any, *applications: Any) -> list[Wanted]:
    return [Wanted(actor=house.subscriber, application=one.id) for one in applications]


def commits(house: Any) -> list[str]:
    """Grows with every transaction that writes."""
    found: list[str] = []

    @event.listens_for(house.program.engine, "commit")
    def committed(connection: Any) -> None:
        if not connection.get_execution_options().get("read_only", False):
            found.append("commit")

    return found


def test_many_share_two_transactions(house: Any) -> None:
    applications = [house.ready() for _ in range(5)]
    seen = commits(house)
    outcomes = house.services.issuance.issue_all(wanted(house, *applications))
    assert len(seen) == 2
    assert [one.application for one in outcomes] == [one.id for one in applications]
    assert len({one.serial for one in outcomes}) == 5
    for application, certificate in zip(applications, outcomes, strict=True):
        assert certificate.state is CertificateState.ISSUED
        assert house.current(application).certificate == certificate.id
        with house.program.transactions.read(SYSTEM_ACTOR) as tx:
            assert tx.certificates.get(certificate.id, seen_by=EVERYTHING) == certificate
    assert house.services.audit.verify(SYSTEM_ACTOR).ok


def test_each_is_recorded_under_who_asked_for_it(house: Any) -> None:
    mine, for_me = house.ready(), house.ready()
    outcomes = house.services.issuance.issue_all(
        [
            Wanted(actor=house.subscriber, application=mine.id),
            Wanted(actor=house.reviewer, application=for_me.id),
        ]
    )
    assert [type(one) for one in outcomes] == [Certificate, Certificate]
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        records = [one for one in tx.audit.records() if one.action in ("certificate.intent", "certificate.issued")]
    assert [one.actor for one in records[-4:]] == [house.subscriber.id, house.reviewer.id] * 2


def test_each_is_refused_by_himself(house: Any) -> None:
    good, stale = house.ready(), house.ready()
    unapproved = house.submit(house.apply())
    outcomes = house.services.issuance.issue_all(
        [
            *wanted(house, unapproved),
            Wanted(actor=house.subscriber, application=UUID(int=1)),
            Wanted(actor=house.stranger, application=good.id),
            Wanted(actor=house.subscriber, application=stale.id, version=1),
            *wanted(house, good),
        ]
    )
    kinds = [type(one) for one in outcomes]
    assert kinds == [ApprovalNeeded, NotFound, NotFound, StaleVersion, Certificate]


def test_who_wants_the_same_gets_the_same(house: Any) -> None:
    application = house.ready()
    first, second, third = house.services.issuance.issue_all(wanted(house, application, application, application))
    assert first == second == third
    assert first.state is CertificateState.ISSUED


def test_of_two_people_with_one_key_the_second_is_refused(house: Any) -> None:
    """Neither has a certificate yet, so no row tells."""
    key = ec.generate_private_key(ec.SECP256R1())
    mine = house.request(house.approved(), key)
    other = house.approve(house.submit(house.apply(by=house.stranger), house.stranger))
    other = house.request(other, key, house.stranger)
    outcomes = house.services.issuance.issue_all(
        [
            Wanted(actor=house.subscriber, application=mine.id),
            Wanted(actor=house.stranger, application=other.id),
        ]
    )
    assert [type(one) for one in outcomes] == [Certificate, WeakKey]


def test_what_the_database_refuses_for_one_it_refuses_for_one(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = [house.ready() for _ in range(3)]
    genuine = issuance_case.intent_for

    def without_approval(tx: Any, ticket: Any, **details: Any) -> Certificate:
        if details["application"].id == applications[1].id:
            details["approval_digest"] = bytes(32)
        return genuine(tx, ticket, **details)

    monkeypatch.setattr(issuance_case, "intent_for", without_approval)
    outcomes = house.services.issuance.issue_all(wanted(house, *applications))
    assert [type(one) for one in outcomes] == [Certificate, ApprovalNeeded, Certificate]
    assert house.services.audit.verify(SYSTEM_ACTOR).ok, "what was rolled back is on record only once"


def test_a_key_that_fails_for_one_fails_for_one(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = [house.ready() for _ in range(3)]
    genuine, signed = issuance.sign_certificate, []

    def second_fails(linted: Any, signer: Any) -> bytes:
        signed.append(linted)
        if len(signed) == 2:
            raise KeyUnavailable("the token was pulled")
        return genuine(linted, signer)

    monkeypatch.setattr(issuance, "sign_certificate", second_fails)
    outcomes = house.services.issuance.issue_all(wanted(house, *applications))
    assert [type(one) for one in outcomes] == [Certificate, KeyUnavailable, Certificate]
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        given_up = list(tx.certificates.find(seen_by=EVERYTHING, states=["abandoned"]).items)
    assert [one.application for one in given_up] == [applications[1].id]


def test_an_application_that_changed_during_the_signature_is_looked_at_again(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = house.ready(), house.ready()
    genuine = issuance.sign_certificate

    def meanwhile(linted: Any, signer: Any) -> bytes:
        with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.applications.replace(tx.applications.get(first.id, seen_by=EVERYTHING))
        return genuine(linted, signer)

    monkeypatch.setattr(issuance, "sign_certificate", meanwhile)
    outcomes = house.services.issuance.issue_all(wanted(house, first, second))
    assert [type(one) for one in outcomes] == [Certificate, Certificate]
    assert house.current(first).state.value == "issued"


def test_callers_at_the_same_time_share_transactions(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = [house.ready() for _ in range(8)]
    seen = commits(house)
    outcomes: list[Certificate | CaError] = []
    begun, go_on = threading.Event(), threading.Event()
    genuine = issuance.sign_certificate

    def slow(linted: Any, signer: Any) -> bytes:
        begun.set()
        assert go_on.wait(30)
        return genuine(linted, signer)

    monkeypatch.setattr(issuance, "sign_certificate", slow)

    def ask(application: Any) -> None:
        outcomes.append(house.services.issuance.issue(house.subscriber, application.id))

    threads = [threading.Thread(target=ask, args=(one,)) for one in applications]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(house.services.issuance._gathering._queue) < 7:
        pass
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert len({one.serial for one in outcomes if isinstance(one, Certificate)}) == 8
    assert len(seen) == 4, "two transactions for the first, two for the other seven"


def test_where_signatures_are_waited_for_as_many_are_made_at_once_as_the_key_allows(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications = [house.ready() for _ in range(4)]
    genuine = house.program.keys.signer
    together = threading.Barrier(2, timeout=30)

    class Waiting:
        def __init__(self, signer: Any) -> None:
            self.algorithm = signer.algorithm
            self.algorithm_identifier = signer.algorithm_identifier
            self.public_key_info = signer.public_key_info
            self.parallel = 2
            self._sign = signer.sign

        def sign(self, data: bytes) -> bytes:
            together.wait()
            signature: bytes = self._sign(data)
            return signature

    monkeypatch.setattr(house.program.keys, "signer", lambda *named: Waiting(genuine(*named)))
    outcomes = house.services.issuance.issue_all(wanted(house, *applications))
    assert [type(one) for one in outcomes] == [Certificate] * 4


def test_a_fault_of_the_program_that_one_meets_is_raised_to_him_alone(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications = [house.ready() for _ in range(3)]
    genuine = issuance_order.prepare

    def faulty(profile: Any, issuer: Any, **given: Any) -> Any:
        if len(calls) == 1:
            calls.append("fault")
            raise ZeroDivisionError
        calls.append("prepared")
        return genuine(profile, issuer, **given)

    calls: list[str] = []
    monkeypatch.setattr(issuance_order, "prepare", faulty)
    outcomes = house.services.issuance.issue_all(wanted(house, *applications))
    assert [type(one) for one in outcomes] == [Certificate, ZeroDivisionError, Certificate]
    calls[:] = ["prepared"]
    with pytest.raises(ZeroDivisionError):
        house.services.issuance.issue(house.subscriber, applications[1].id)
