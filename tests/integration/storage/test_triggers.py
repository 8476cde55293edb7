"""What the database refuses by itself, in the words in which callers hear it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR, Role
from ca_core.domain.authority import PublishedCrl
from ca_core.domain.errors import ApprovalNeeded, Conflict, Duplicate, IntegrityAlarm, SelfApproval, WrongState
from ca_core.storage.triggers import TRIGGERS


@pytest.fixture
def people(shelf: Any) -> dict[str, Any]:
    return {
        "centre": shelf.centre("C-1"),
        "owner": shelf.account("owner"),
        "editor": shelf.account("editor", Role.OPERATOR),
        "first": shelf.account("first", Role.OPERATOR),
        "second": shelf.account("second", Role.REVIEWER),
    }


def test_invariant_12_owner_and_editor_do_not_approve_and_nobody_twice(shelf: Any, people: Any) -> None:
    application = shelf.application(people["owner"], people["centre"])
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.add_editor(application.id, people["editor"])
    for who in ("owner", "editor"):
        with pytest.raises(SelfApproval):
            shelf.approve(application, people[who])
    with pytest.raises(WrongState):
        shelf.approve(application, people["first"], round=2)
    shelf.approve(application, people["first"])
    with pytest.raises(Duplicate):
        shelf.approve(application, people["first"])


def test_invariant_12_a_certificate_needs_the_approvals_of_exactly_its_digest(shelf: Any, people: Any) -> None:
    application = shelf.application(people["owner"], people["centre"], approvals_required=2)
    with pytest.raises(ApprovalNeeded):
        shelf.intent(application)
    shelf.approve(application, people["first"])
    with pytest.raises(ApprovalNeeded):
        shelf.intent(application)
    shelf.approve(application, people["second"], digest=b"\1" * 32)
    with pytest.raises(ApprovalNeeded):
        shelf.intent(application)
    shelf.approve(application, people["editor"])
    assert shelf.intent(application).application == application.id


def test_invariant_12_approvals_of_an_earlier_round_do_not_count(shelf: Any, people: Any) -> None:
    application = shelf.application(people["owner"], people["centre"])
    shelf.approve(application, people["first"])
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.applications.replace(replace(application, round=2))
    with pytest.raises(ApprovalNeeded):
        shelf.intent(application)


def test_invariant_12_nobody_confirms_what_he_asked_for_or_what_is_about_himself(shelf: Any, people: Any) -> None:
    first, second, owner = people["first"], people["second"], people["owner"]

    def confirm(asked_by: UUID, confirmed_by: UUID) -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            account = tx.accounts.get(owner, seen_by=EVERYTHING)
            shelf.confirm(tx, account, asked_by=asked_by, confirmed_by=confirmed_by)

    for asked_by, confirmed_by in ((first, first), (first, owner), (owner, first)):
        with pytest.raises(IntegrityAlarm):
            confirm(asked_by, confirmed_by)
    confirm(first, second)


def test_invariant_12_a_privileged_role_is_given_by_a_confirmed_change_and_once(shelf: Any, people: Any) -> None:
    operator = frozenset({Role.OPERATOR})

    def change(roles: frozenset[Role], **confirmed: UUID) -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            account = tx.accounts.get(people["owner"], seen_by=EVERYTHING)
            if confirmed:
                shelf.confirm(tx, replace(account, roles=roles, version=account.version + 1), **confirmed)
            tx.accounts.replace(replace(account, roles=roles))

    with pytest.raises(ApprovalNeeded):
        change(operator)
    change(operator, asked_by=people["first"], confirmed_by=people["second"])
    change(frozenset({Role.SUBSCRIBER}))
    with pytest.raises(ApprovalNeeded):
        change(operator)


def test_invariant_1_no_serial_twice_for_one_issuer(shelf: Any) -> None:
    first = shelf.intent()
    with pytest.raises(Duplicate):
        shelf.intent(serial=first.serial)


def test_invariant_3_one_application_has_one_certificate(shelf: Any, people: Any) -> None:
    application = shelf.application(people["owner"], people["centre"])
    shelf.approve(application, people["first"])
    intent = shelf.intent(application)
    with pytest.raises(Duplicate):
        shelf.intent(application)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.certificates.replace(intent.abandon(at=tx.now))
    assert shelf.intent(application).state.value == "intent", "an abandoned one does not count"


def test_invariant_3_nothing_enters_as_issued(shelf: Any) -> None:
    from ca_core.domain.certificate import CertificateState

    with pytest.raises(WrongState):
        shelf.intent(state=CertificateState.ISSUED, der=b"x")


def test_invariant_8_the_number_of_a_list_only_goes_up(shelf: Any, engine: Engine) -> None:
    authority = _authority(shelf)

    def publish(number: int) -> None:
        with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
            tx.authorities.publish_crl(
                PublishedCrl(
                    id=tx.new_id(), authority=authority, partition=0, number=number, this_update=tx.now,
                    next_update=tx.now, entries=0, der=b"x", sha256=bytes(32),
                )
            )  # fmt: skip

    publish(2)
    for number in (1, 2):
        with pytest.raises((Conflict, Duplicate)):
            publish(number)
    publish(3)
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        assert tx.authorities.next_crl_number(authority, 0) == 1


def test_a_document_that_was_destroyed_stays_so(shelf: Any, people: Any) -> None:
    document = shelf.document(shelf.application(people["owner"], people["centre"]))
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        destroyed = tx.documents.replace(replace(document, wrapped_key=None))
    with pytest.raises(IntegrityAlarm), shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.documents.replace(replace(destroyed, wrapped_key=b"k"))


def test_every_trigger_is_there_and_named_once(engine: Engine) -> None:
    from ca_core.storage import triggers

    with engine.execution_options(read_only=True).connect() as connection:
        assert triggers.missing(connection) == []
    names = [one.name for one in TRIGGERS]
    assert len(names) == len(set(names))


def _authority(shelf: Any) -> Any:
    from ca_core.domain.algorithms import SignatureAlgorithm
    from ca_core.domain.authority import Authority, AuthorityKind
    from ca_core.domain.profile import Environment

    certificate = shelf.issued()
    with shelf.transactions.begin(SYSTEM_ACTOR) as tx:
        authority = Authority(
            id=tx.new_id(), name="issuing", kind=AuthorityKind.ISSUING, parent=None,
            environment=Environment.PRODUCTION, key_reference="issuing", certificate=b"x",
            signature_algorithm=SignatureAlgorithm.ECDSA_SHA256, certificate_id=certificate.id,
            key_identifier=bytes(20), not_before=tx.now, not_after=tx.now, created_at=tx.now,
        )  # fmt: skip
        tx.authorities.add(authority)
    return authority.id
