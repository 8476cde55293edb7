"""From the record alone: who stated what, who saw and approved what, which key signed, and why a status changed."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import NotPermitted
from ca_core.services.replacement_reason import Circumstance


def recorded(house: Any, action: str, object_id: object) -> list[Any]:
    found = house.services.audit.list(house.auditor, object_id=str(object_id))
    return [one.details for one in found if one.action == action]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_reasons_of_a_refusal_a_return_and_a_rejection(house: Any) -> None:
    application = house.submit(house.apply(house.signing()))
    review = house.services.review
    review.claim(house.operator, application.id)
    document = review.snapshot(house.operator, application.id).documents[0]
    review.refuse_document(house.operator, document.id, version=document.version, reason="unreadable", note="too dark")
    review.return_for_correction(
        house.operator, application.id, version=house.current(application).version, note="see there"
    )
    assert recorded(house, "document.refused", document.id)[0]["note"] == sha256("too dark")
    assert recorded(house, "application.returned", application.id)[0]["note"] == sha256("see there")
    house.attach(application, document.kind, title="lighter")
    again = house.submit(application)
    claimed = review.claim(house.operator, again.id)
    review.reject(house.operator, again.id, version=claimed.version, note="nobody of that name")
    assert recorded(house, "application.rejected", application.id)[0]["note"] == sha256("nobody of that name")


def test_what_was_stated_approved_and_signed_by_which_key(house: Any) -> None:
    certificate = house.issued(house.signing())
    view = house.services.intake.get(house.auditor, certificate.application)
    created, submitted = (
        recorded(house, f"application.{what}", certificate.application)[0] for what in ("created", "submitted")
    )
    assert created["content"] == submitted["content"]
    approvals = recorded(house, "application.approved", certificate.application)
    [intent] = recorded(house, "certificate.intent", certificate.id)
    assert set(intent["approvals"]) == {one["approval"] for one in approvals}
    assert {intent["approved"]} == {view.digest.hex()} == {one["digest"] for one in approvals}
    assert set(intent["approvers"]) == {str(one.approver) for one in view.approved}
    issuing = next(one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing")
    assert intent["issuer_key"] == issuing.key_identifier.hex()
    assert intent["profile_name"].startswith("private/code-signing ")
    assert intent["key"] == certificate.spki_sha256.hex()


def test_of_an_authority_as_of_every_certificate(house: Any) -> None:
    for one in house.services.authorities.list(SYSTEM_ACTOR):
        assert recorded(house, "certificate.intent", one.certificate_id)
        assert recorded(house, "certificate.issued", one.certificate_id)
        [created] = recorded(house, "authority.created", one.id)
        assert created["key_reference"] == one.key_reference


def test_why_a_status_changed(house: Any, clock: Any) -> None:
    lost, suspended, revoked = house.issued(), house.issued(), house.issued()
    house.services.replacement.report(house.subscriber, lost.id, circumstance=Circumstance.LOST)
    assert recorded(house, "certificate.held", lost.id)[0]["because"] == "lost"
    house.services.revocation.hold(house.operator, suspended.id, because="a test")
    assert recorded(house, "certificate.held", suspended.id)[0]["held_by"] == str(house.operator.id)
    since = clock() - timedelta(days=1)
    house.services.revocation.revoke(
        house.operator, revoked.id, reason=RevocationReason.KEY_COMPROMISE, invalidity_date=since, because="a test"
    )
    assert recorded(house, "certificate.revoked", revoked.id)[0]["invalidity_date"] == since.isoformat()


def test_what_was_told_to_whom_and_only_the_auditor_reads_it(house: Any) -> None:
    certificate = house.issued()
    told = house.services.notices.about(house.auditor, certificate.application)
    assert {one.kind for one in told} == {"application-submitted", "application-approved", "certificate-issued"}
    for notice in told:
        [queued] = recorded(house, "notice.queued", notice.id)
        assert queued["account"] == str(house.subscriber.id)
    for who in (house.subscriber, house.operator, house.support):
        with pytest.raises(NotPermitted):
            house.services.notices.about(who, certificate.application)


def test_who_approved_is_shown_to_staff_alone(house: Any) -> None:
    application = house.approved()
    assert [one.approver for one in house.services.intake.get(house.auditor, application.id).approved] == [
        house.operator.id
    ]
    assert not house.services.intake.get(house.subscriber, application.id).approved
