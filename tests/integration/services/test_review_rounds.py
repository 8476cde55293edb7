"""A change begins a new round: registers are asked again, documents looked at again, and approvals count no more."""

from __future__ import annotations

import secrets
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.application import CheckMode, CheckVerdict
from ca_core.domain.errors import (
    ApprovalNeeded,
    ClaimedByAnother,
    ConfigurationError,
    InvalidInput,
    KeyUnavailable,
    NotPermitted,
    Refused,
    StaleVersion,
    TryAgain,
    WrongState,
)
from ca_core.services.ports import CheckOutcome
from ca_core.services.replacement_reason import Circumstance

RU = {"C": "RU", "O": "ООО Пример", "INNLE": "7707083893", "OGRN": "1027700132195", "CN": "ООО Пример"}


def checked(house: Any) -> Any:
    """An application that a register check looks at, submitted."""
    profile = next(
        one
        for one in house.services.intake.profiles(house.subscriber)
        if one.checks and one.key.startswith("ru-63fz/legal-entity")
    )
    given = {
        rule.name: RU.get(rule.name, "77 Москва" if rule.name == "ST" else "Москва")
        for rule in profile.subject
        if rule.required and rule.fixed is None
    }
    new = replace(
        house.tls(), profile=profile.key, subject=given, identification=next(iter(profile.identification), None)
    )
    return house.submit(house.apply(new))


def kinds(house: Any) -> list[str]:
    return [one.kind for one in house.services.notices.of(house.subscriber)]


def change(house: Any, application: Any, by: Any = None, **subject: str) -> Any:
    current = house.current(application)
    return house.services.intake.update(
        by or house.subscriber, application.id, version=current.version, subject={**current.subject, **subject}
    )


def test_changed_data_are_checked_again(house: Any) -> None:
    application = checked(house)
    before = house.services.intake.get(house.operator, application.id)
    assert before.checks
    changed = change(house, application, INNLE="7830002293")
    after = house.services.intake.get(house.operator, application.id)
    assert changed.round == before.application.round + 1
    assert {one.name for one in after.checks} == {one.name for one in before.checks}
    assert {one.id for one in after.checks}.isdisjoint({one.id for one in before.checks})


class Failing:
    """A plugin's check that does not do what it should."""

    name = "ru.identifiers"

    def __init__(self, mode: CheckMode, answer: Any) -> None:
        self.mode = mode
        self._answer = answer

    def run(self, subject: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return CheckOutcome(verdict=self._answer, detail="")


@pytest.mark.parametrize(
    ("check", "refused"),
    [
        (Failing(CheckMode.ADVISORY, ConnectionError("the register is away")), None),
        (Failing(CheckMode.BLOCKING, ConnectionError("the register is away")), TryAgain),
        (Failing(CheckMode.BLOCKING, CheckVerdict.REFUTED), Refused),
        (Failing(CheckMode.ADVISORY, CheckVerdict.REFUTED), None),
        (Failing(CheckMode.BLOCKING, "Refuted"), ConfigurationError),
    ],
    ids=["advisory fails", "blocking fails", "blocking refutes", "advisory refutes", "no verdict"],
)
def test_a_check_that_fails_stops_no_more_than_it_may(
    house: Any, monkeypatch: pytest.MonkeyPatch, check: Failing, refused: type[Exception] | None
) -> None:
    monkeypatch.setitem(house.services.intake._checks._checks, "ru.identifiers", check)
    with pytest.raises(refused) if refused else nullcontext():
        [result] = house.services.intake.get(house.operator, checked(house).id).checks
        assert result.verdict in set(CheckVerdict)


def test_a_token_is_not_found_while_its_replacement_is_being_signed(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = house.issued(house.signing())
    started = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    application = house.request(house.approve(house.approve(house.submit(started)), house.reviewer))

    class Died(BaseException):
        """What no handler catches, like a kill."""

    def die(*_: object) -> Any:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("ca_core.services.issuance.sign_certificate", die)
        with pytest.raises(Died):
            house.services.issuance.issue(house.subscriber, application.id)
    with pytest.raises(TryAgain):
        house.services.replacement.found(house.subscriber, old.id)
    assert house.services.certificates.get(house.subscriber, old.id).state.value == "held"


def test_documents_accepted_for_other_data_are_looked_at_again(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    seen = house.look(application, house.operator)
    change(house, application, O="Other Ltd")
    states = {one.state.value for one in house.services.intake.get(house.operator, application.id).documents}
    assert states == {"pending"}
    with pytest.raises(StaleVersion):
        house.services.review.approve(
            house.operator, application.id, version=house.current(application).version, digest=seen.digest
        )


def test_what_registers_said_counts_on_when_a_document_is_replaced_after_the_first_approval(house: Any) -> None:
    application = house.approve(checked(house))
    assert application.state.value == "approved-first"
    before = house.services.intake.get(house.operator, application.id).checks
    kind = house.services.intake.get(house.operator, application.id).documents[0].kind
    house.attach(application, kind, title="another one")
    after = house.services.intake.get(house.operator, application.id)
    assert after.application.round == application.round + 1
    assert [(one.name, one.verdict) for one in after.checks] == [(one.name, one.verdict) for one in before]


def test_the_applicant_is_told_what_staff_change_and_withdraw(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    change(house, application, O="Own Ltd")
    house.attach(application, "request-form", title="own")
    assert "application-changed" not in kinds(house)
    change(house, application, by=house.operator, O="Other Ltd")
    house.attach(application, "request-form", by=house.second_operator, title="theirs")
    assert kinds(house).count("application-changed") == 2
    house.services.intake.withdraw(house.operator, application.id, version=house.current(application).version)
    assert kinds(house).count("application-withdrawn") == 1


def test_invariant_12_an_approval_of_somebody_thrown_out_since_does_not_count(house: Any) -> None:
    application = house.ready()
    account = house.services.accounts.get(SYSTEM_ACTOR, house.operator.id)
    house.services.accounts.deactivate(house.administrator, account.id, version=account.version)
    with pytest.raises(ApprovalNeeded):
        house.services.issuance.issue(house.subscriber, application.id)
    again = house.services.review.reconsider(
        house.reviewer, application.id, version=house.current(application).version, note="the approver left"
    )
    assert (again.state.value, again.round, again.request_der) == ("submitted", application.round + 1, None)
    assert again.due_at is not None, "the clock runs again"
    approved = house.approve(application, house.second_operator)
    assert house.services.issuance.issue(house.subscriber, house.request(approved).id).state.value == "issued"


def test_invariant_12_nor_does_the_database_take_it(house: Any) -> None:
    application = house.ready()
    with house.program.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET active = (1 = 0) WHERE name = 'operator'"))
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        [approval] = tx.applications.approvals(application.id, application.round)
        intent = an_intent(tx, application, approval.digest)
    with pytest.raises(ApprovalNeeded), house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.certificates.add(intent)  # past every service


def an_intent(tx: Any, application: Any, digest: bytes) -> Any:
    from ca_core.domain.certificate import Certificate
    from ca_core.domain.identifiers import Serial

    issuer = next(one for one in tx.authorities.all() if one.name == "issuing")
    return Certificate(
        id=tx.new_id(),
        issuer=issuer.id,
        serial=Serial.random(secrets.token_bytes),
        profile=application.profile,
        profile_version=application.profile_version,
        profile_digest=application.profile_digest,
        application=application.id,
        approval_digest=digest,
        owner=application.owner,
        centre=application.centre,
        subject="CN=x",
        tbs=b"tbs",
        tbs_sha256=bytes(32),
        spki_sha256=secrets.token_bytes(32),
        not_before=tx.now,
        not_after=tx.now + timedelta(days=1),
        created_at=tx.now,
    )


@pytest.mark.parametrize("note", ["", "   ", "\u200b", "\u3164"])
def test_reconsidering_takes_a_reason(house: Any, note: str) -> None:
    application = house.approved()
    with pytest.raises(InvalidInput):
        house.services.review.reconsider(house.reviewer, application.id, version=application.version, note=note)


def test_only_what_is_approved_and_not_issued_is_reconsidered_and_by_approvers(house: Any) -> None:
    submitted = house.submit(house.apply())
    with pytest.raises(WrongState):
        house.services.review.reconsider(house.reviewer, submitted.id, version=submitted.version, note="why")
    approved = house.approved()
    for who in (house.subscriber, house.officer):
        with pytest.raises(NotPermitted):
            house.services.review.reconsider(who, approved.id, version=approved.version, note="why")


def test_a_reviewer_takes_a_claim_over_and_it_is_on_record(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    for who, over in ((house.reviewer, False), (house.second_operator, True)):
        with pytest.raises(ClaimedByAnother):
            house.services.review.claim(who, application.id, take_over=over)
    assert house.services.review.claim(house.reviewer, application.id, take_over=True).claimed_by == house.reviewer.id
    records = house.services.audit.list(house.auditor, object_id=str(application.id))
    assert records[-1].details["taken_from"] == str(house.operator.id)


@pytest.mark.parametrize("note", ["\x00", "a\x00b", "\x1b[2J"])
def test_notes_are_plain_text(house: Any, note: str) -> None:
    application = house.submit(house.apply(house.signing()))
    claimed = house.services.review.claim(house.operator, application.id)
    for act in (house.services.review.return_for_correction, house.services.review.reject):
        with pytest.raises(InvalidInput):
            act(house.operator, application.id, version=claimed.version, note=note)


def test_an_approval_given_late_lasts_as_long_as_any(house: Any, clock: Any) -> None:
    application = house.apply()
    clock.advance(timedelta(days=89, hours=12))
    approved = house.approve(house.submit(application))
    clock.advance(timedelta(days=89))
    house.services.deadlines.tick()
    assert house.current(approved).state.value == "awaiting-key"
    clock.advance(timedelta(days=2))
    house.services.deadlines.tick()
    assert house.current(approved).state.value == "expired"


def test_while_the_key_is_away_no_serial_is_used_up(house: Any) -> None:
    application = house.ready()
    keys = house.program.config.data / "keys" / "signing"
    away = keys.rename(keys.with_name("away"))
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        before = len(list(tx.certificates.all_ids()))
    for _ in range(3):
        with pytest.raises(KeyUnavailable) as refusal:
            house.services.issuance.issue(house.subscriber, application.id)
        assert str(house.program.config.data) not in refusal.value.detail
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert len(list(tx.certificates.all_ids())) == before
    away.rename(keys)
    assert house.services.issuance.issue(house.subscriber, application.id).state.value == "issued"


def test_what_is_shown_says_what_the_looker_may_do_next(house: Any, clock: Any) -> None:
    application = house.submit(house.apply(house.signing()))

    def may(who: Any) -> set[str]:
        shown = house.services.review.look(who, application.id)
        return {one for one in ("claimable", "taken", "decidable", "reconsiderable") if getattr(shown, one)}

    assert (may(house.operator), may(house.auditor), may(house.support)) == ({"claimable"}, set(), set())
    claimed = house.services.review.claim(house.operator, application.id)
    assert may(house.operator) == {"decidable"}
    assert may(house.second_operator) == {"taken"}, "an operator takes nothing over"
    assert may(house.reviewer) == {"claimable", "taken"}
    clock.advance(claimed.claim_expires - clock())
    assert may(house.operator) == may(house.second_operator) == {"claimable"}
    approved = house.approve(application)
    application = house.approve(approved, house.reviewer)
    assert may(house.reviewer) == {"reconsiderable"}
    assert house.services.review.look(house.auditor, application.id).digest
    with pytest.raises(NotPermitted):
        house.services.review.look(house.subscriber, application.id)
