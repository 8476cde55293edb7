"""Review: claims, verdicts, four eyes, and the digest that binds an approval to what was shown."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.errors import (
    ApprovalNeeded,
    ClaimedByAnother,
    InvalidInput,
    NotFound,
    NotPermitted,
    Refused,
    SelfApproval,
    StaleVersion,
    WrongState,
)
from ca_core.storage import triggers


def two_pages() -> bytes:
    out = io.BytesIO()
    front, back = (Image.new("RGB", (100, 100), colour) for colour in ("white", "grey"))
    front.save(out, "PDF", save_all=True, append_images=[back])
    return out.getvalue()


def test_only_what_was_refused_has_to_be_sent_again(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    for document in house.services.review.snapshot(house.operator, application.id).documents:
        house.services.documents.page(house.operator, document.id, 1)
        if document.kind == "request-form":
            house.services.review.refuse_document(
                house.operator, document.id, version=document.version, reason="unreadable", note="too dark"
            )
        else:
            house.services.review.accept_document(house.operator, document.id, version=document.version)
    current = house.current(application)
    house.services.review.return_for_correction(house.operator, application.id, version=current.version)
    view = house.services.intake.get(house.subscriber, application.id)
    assert [one.kind for one in view.requirements if one.missing] == ["request-form"]
    assert view.application.due_at is None, "the clock pauses"
    house.attach(application, "request-form", title="sharper")
    again = house.services.intake.submit(house.subscriber, application.id, version=house.current(application).version)
    assert again.round == 2
    assert again.due_at is not None
    kinds = {
        one.kind: one.state.value
        for one in house.services.intake.get(house.subscriber, application.id).documents
        if one.counts
    }
    assert kinds == {"organisation-letter": "accepted", "request-form": "pending"}


def test_the_same_refused_file_is_not_taken_again(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    form = next(
        d for d in house.services.review.snapshot(house.operator, application.id).documents if d.kind == "request-form"
    )
    house.services.review.refuse_document(house.operator, form.id, version=form.version, reason="unreadable")
    with pytest.raises(Refused, match="refused"):
        house.attach(application, "request-form")


def test_a_claim_keeps_others_out_until_it_runs_out(house: Any, clock: Any) -> None:
    application = house.submit(house.apply())
    house.services.review.claim(house.operator, application.id)
    with pytest.raises(ClaimedByAnother):
        house.services.review.claim(house.second_operator, application.id)
    clock.advance(timedelta(minutes=31))
    house.services.deadlines.tick()
    assert house.current(application).state.value == "submitted"
    assert house.services.review.claim(house.second_operator, application.id).claimed_by == house.second_operator.id


def test_nobody_decides_without_the_claim(house: Any) -> None:
    application = house.submit(house.apply())
    with pytest.raises(WrongState):
        house.services.review.approve(house.operator, application.id, version=application.version, digest=bytes(32))
    house.services.review.claim(house.operator, application.id)
    current = house.current(application)
    with pytest.raises(ClaimedByAnother):
        house.services.review.reject(house.second_operator, application.id, version=current.version, note="no")


def test_what_was_not_looked_at_is_neither_accepted_nor_approved(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    seen = house.services.review.snapshot(house.operator, application.id)
    with pytest.raises(NotPermitted, match="look at"):
        house.services.review.accept_document(house.operator, seen.documents[0].id, version=seen.documents[0].version)
    with pytest.raises(Refused) as refusal:
        house.services.review.approve(
            house.operator, application.id, version=seen.application.version, digest=seen.digest
        )
    assert refusal.value.fields.keys() == {"organisation-letter", "request-form"}


def test_invariant_12_an_approval_is_bound_to_what_was_shown(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    house.services.review.claim(house.operator, application.id)
    seen = house.look(application, house.operator)
    house.attach(application, "request-form", title="another one, slipped in")
    with pytest.raises(StaleVersion):
        house.services.review.approve(
            house.operator, application.id, version=seen.application.version, digest=seen.digest
        )
    current = house.current(application)
    with pytest.raises(StaleVersion):
        house.services.review.approve(house.operator, application.id, version=current.version, digest=seen.digest)
    assert house.current(application).state.value == "in-review"


def test_invariant_12_a_change_after_the_first_approval_makes_it_void(house: Any) -> None:
    application = house.approve(house.submit(house.apply(house.signing())))
    assert application.state.value == "approved-first"
    changed = house.services.intake.update(
        house.subscriber,
        application.id,
        version=application.version,
        subject={"C": "XX", "O": "Evil Ltd", "CN": "Evil Ltd"},
    )
    assert (changed.state.value, changed.round) == ("submitted", 2)
    assert house.services.intake.get(house.subscriber, application.id).approvals == 0
    second = house.approve(application, house.reviewer)
    assert second.state.value == "approved-first", "one approval of the new round, one to go"


def test_invariant_12_who_edited_does_not_approve(house: Any) -> None:
    application = house.apply(replace(house.tls(), owner=house.subscriber.id), by=house.operator)
    application = house.submit(application, by=house.operator)
    house.services.review.claim(house.operator, application.id)
    seen = house.services.review.snapshot(house.operator, application.id)
    with pytest.raises(SelfApproval):
        house.services.review.approve(
            house.operator, application.id, version=seen.application.version, digest=seen.digest
        )
    house.services.review.release(house.operator, application.id)
    assert house.approve(application, house.second_operator).state.value == "awaiting-key"


def test_invariant_12_a_document_is_seen_when_every_page_was(house: Any) -> None:
    application = house.apply(house.signing())
    house.services.documents.attach(
        house.subscriber, application.id, kind="request-form", filename="two.pdf", data=two_pages()
    )
    house.submit(application)
    house.services.review.claim(house.operator, application.id)
    documents = {one.kind: one for one in house.services.review.snapshot(house.operator, application.id).documents}
    form = documents["request-form"]
    assert form.pages == 2
    house.services.documents.page(house.operator, form.id, 2)
    house.services.documents.page(house.operator, form.id, 2)
    with pytest.raises(NotPermitted, match="every page"):
        house.services.review.accept_document(house.operator, form.id, version=form.version)
    seen = house.services.review.snapshot(house.operator, application.id)
    with pytest.raises(Refused) as refusal:
        house.services.review.approve(
            house.operator, application.id, version=seen.application.version, digest=seen.digest
        )
    assert refusal.value.fields["request-form"] == "look at every page of it first"
    house.services.documents.page(house.operator, form.id, 1)
    assert (
        house.services.review.accept_document(house.operator, form.id, version=form.version).state.value == "accepted"
    )


def test_invariant_12_nobody_but_the_applicant_replaces_the_request_of_the_applicant(house: Any) -> None:
    application = house.ready()
    with pytest.raises(NotPermitted, match="nobody else replaces it"):
        house.request(application, by=house.second_operator)
    seen = house.current(application)
    house.request(application)
    with pytest.raises(StaleVersion):
        house.services.issuance.issue(house.subscriber, application.id, version=seen.version)


def test_the_applicant_is_told_of_a_request_that_somebody_else_sent(house: Any) -> None:
    house.request(house.approved(), by=house.second_operator)
    house.request(house.approved())
    kinds = [one.kind for one in house.services.notices.of(house.subscriber)]
    assert kinds.count("request-received") == 1


def test_invariant_12_an_approver_does_not_choose_the_key(house: Any) -> None:
    application = house.approved()
    with pytest.raises(SelfApproval):
        house.request(application, by=house.operator)
    assert house.current(application).state.value == "awaiting-key"
    received = house.request(application, by=house.second_operator)
    with house.program.transactions.begin(SYSTEM_ACTOR) as tx:
        assert house.second_operator.id in tx.applications.editors(received.id), "who sent it edited it"
    assert house.services.issuance.issue(house.subscriber, received.id).state.value == "issued"


def test_invariant_12_how_many_approve_is_for_the_profile_to_say_not_for_the_row(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("UPDATE applications SET approvals_required = 1"))
        triggers.create(connection)
    assert house.approve(application).state.value == "approved-first"


def test_invariant_12_one_approval_that_the_row_calls_enough_issues_nothing_where_the_profile_asks_for_two(
    house: Any,
) -> None:
    application = house.approve(house.submit(house.apply(house.signing())))
    with house.program.engine.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("UPDATE applications SET approvals_required = 1, state = 'awaiting-key'"))
        triggers.create(connection)
    received = house.request(application)
    with pytest.raises(ApprovalNeeded):
        house.services.issuance.issue(house.subscriber, received.id)


def test_invariant_12_nobody_approves_twice(house: Any) -> None:
    application = house.approve(house.submit(house.apply(house.signing())))
    house.services.review.claim(house.operator, application.id)
    seen = house.services.review.snapshot(house.operator, application.id)
    with pytest.raises(SelfApproval):
        house.services.review.approve(
            house.operator, application.id, version=seen.application.version, digest=seen.digest
        )
    with pytest.raises(ApprovalNeeded):
        house.services.issuance.issue(house.subscriber, application.id)
    house.services.review.release(house.operator, application.id)
    assert house.approve(application, house.reviewer).state.value == "awaiting-key"


@pytest.mark.parametrize("role", ["subscriber", "officer", "auditor", "support", "administrator"])
def test_invariant_13_roles_deny_by_default(house: Any, role: str) -> None:
    application = house.submit(house.apply())
    actor = getattr(house, role)
    for step in (
        lambda: house.services.review.queue(actor, tab="unclaimed"),
        lambda: house.services.review.claim(actor, application.id),
        lambda: house.services.review.snapshot(actor, application.id),
        lambda: house.services.review.reject(actor, application.id, version=application.version, note="no"),
    ):
        with pytest.raises(NotPermitted):
            step()


def test_invariant_13_another_centre_and_another_subscriber_see_nothing(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    document = house.services.intake.get(house.subscriber, application.id).documents[0]
    for actor in (house.elsewhere, house.stranger):
        for step in (
            lambda actor=actor: house.services.intake.get(actor, application.id),
            lambda actor=actor: house.services.intake.get(actor, application.number),
            lambda actor=actor: house.services.documents.get(actor, document.id),
            lambda actor=actor: house.services.documents.page(actor, document.id, 1),
            lambda actor=actor: house.services.documents.original(actor, document.id),
            lambda actor=actor: house.services.intake.withdraw(actor, application.id, version=application.version),
        ):
            with pytest.raises(NotFound):
                step()
        assert not house.services.intake.list(actor).items
    assert not house.services.review.queue(house.elsewhere, tab="all").items


def test_support_sees_the_state_and_no_documents(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    document = house.services.intake.get(house.support, application.id).documents[0]
    with pytest.raises(NotPermitted):
        house.services.documents.page(house.support, document.id, 1)


def test_the_machine_reviews_nothing(house: Any) -> None:
    application = house.submit(house.apply())
    with pytest.raises(NotPermitted):
        house.services.review.claim(SYSTEM_ACTOR, application.id)


def test_a_return_says_what_is_wrong_and_a_rejection_why(house: Any) -> None:
    application = house.submit(house.apply())
    house.services.review.claim(house.operator, application.id)
    version = house.current(application).version
    with pytest.raises(InvalidInput):
        house.services.review.return_for_correction(house.operator, application.id, version=version)
    with pytest.raises(InvalidInput):
        house.services.review.reject(house.operator, application.id, version=version, note="  ")
    rejected = house.services.review.reject(house.operator, application.id, version=version, note="not ours")
    assert (rejected.state.value, rejected.note) == ("rejected", "not ours")
    assert house.submit(house.apply()).state.value == "submitted", "nothing stands in the way of a new one"


def test_the_queue_is_sorted_by_deadline_and_counted(house: Any, clock: Any) -> None:
    first = house.submit(house.apply())
    clock.advance(timedelta(hours=1))
    second = house.submit(house.apply())
    queue = house.services.review.queue(house.operator, tab="unclaimed")
    assert [one.id for one in queue.items] == [first.id, second.id]
    house.services.review.claim(house.operator, second.id)
    counts = house.services.review.counts(house.operator)
    assert (counts["unclaimed"], counts["mine"], counts["all"]) == (1, 1, 2)
    assert [one.id for one in house.services.review.queue(house.operator, tab="mine").items] == [second.id]
