"""Staff say why they change the status of a certificate; the words are kept, their digest is in the record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.audit import said
from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import InvalidInput, NotFound, NotPermitted

CHANGES = ("hold", "unhold", "revoke")


def changed(house: Any, change: str, who: Any, certificate: Any, **words: str) -> Any:
    terms: dict[str, Any] = {"reason": RevocationReason.SUPERSEDED} if change == "revoke" else {}
    return getattr(house.services.revocation, change)(who, certificate.id, **terms, **words)


@pytest.mark.parametrize("change", CHANGES)
def test_staff_say_why(house: Any, change: str) -> None:
    certificate = house.issued()
    if change == "unhold":
        certificate = house.services.revocation.hold(house.subscriber, certificate.id)
    for who in (house.operator, house.officer, SYSTEM_ACTOR):
        for words in ({}, {"because": " \u200b "}, {"because": "x" * 501}):
            with pytest.raises(InvalidInput) as refusal:
                changed(house, change, who, certificate, **words)
            assert "because" in refusal.value.fields
    assert house.services.certificates.get(house.auditor, certificate.id) == certificate
    assert changed(house, change, house.operator, certificate, because="x" * 500).state is not certificate.state


@pytest.mark.parametrize("words", [".", "—?!", "\u3164", "\u115f \uffa0", "\u2800."])
def test_what_has_no_letter_or_digit_that_shows_is_no_ground(house: Any, words: str) -> None:
    certificate = house.issued()
    with pytest.raises(InvalidInput, match="say why"):
        house.services.revocation.hold(house.operator, certificate.id, because=words)
    for said_by_somebody in ("№ 7", "утеря", "ضاع"):
        certificate = house.services.revocation.hold(house.operator, certificate.id, because=said_by_somebody)
        certificate = house.services.revocation.unhold(house.operator, certificate.id, because=said_by_somebody)


def test_the_words_are_kept_in_order_and_their_digests_in_the_record(house: Any, clock: Any) -> None:
    certificate = house.issued()
    revocation = house.services.revocation
    revocation.hold(house.operator, certificate.id, because=" Anna Schmidt called ")
    clock.advance(timedelta(seconds=1))
    revocation.unhold(house.officer, certificate.id, because="it was in her drawer")
    clock.advance(timedelta(seconds=1))
    revocation.revoke(house.officer, certificate.id, reason=RevocationReason.CESSATION_OF_OPERATION, because="she left")
    found = house.services.certificates.grounds(house.auditor, certificate.id)
    assert [(one.action, one.by, one.words) for one in found] == [
        ("held", house.operator.name, "Anna Schmidt called"),
        ("unheld", house.officer.name, "it was in her drawer"),
        ("revoked", house.officer.name, "she left"),
    ]
    records = house.services.audit.list(house.auditor, object_id=str(certificate.id))
    assert [one.details["words"] for one in records if "words" in one.details] == [said(one.words) for one in found]
    assert "Schmidt" not in str(records)


def test_a_subscriber_need_not_say_why_and_reads_no_words_of_staff(house: Any) -> None:
    silent, telling = house.issued(), house.issued()
    assert house.services.revocation.hold(house.subscriber, silent.id).state is CertificateState.HELD
    house.services.revocation.revoke(
        house.subscriber, telling.id, reason=RevocationReason.SUPERSEDED, because="a new firm"
    )
    grounds = house.services.certificates.grounds
    assert [len(grounds(house.operator, one.id)) for one in (silent, telling)] == [0, 1]
    with pytest.raises(NotPermitted):
        grounds(house.subscriber, telling.id)
    with pytest.raises(NotFound):
        grounds(house.elsewhere, telling.id)
