"""Hold, revoke, lost tokens, replacements: what the old certificate says and what the new one needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import InvalidInput, NotFound, NotPermitted, StaleVersion, WeakKey, WrongState
from ca_core.services.replacement_reason import Circumstance


def status(house: Any, certificate: Any) -> tuple[str, str | None]:
    found = house.program.ocsp.status(certificate.issuer, certificate.serial)
    return found.status, found.reason.label if found.reason is not None else None


def replace_with(house: Any, application: Any, key: Any = None) -> Any:
    application = house.approve(house.submit(application))
    if application.state.value == "approved-first":
        application = house.approve(application, house.reviewer)
    return house.services.issuance.issue(house.subscriber, house.request(application, key).id)


@pytest.mark.parametrize(
    ("circumstance", "at_once", "in_the_end"),
    [
        (Circumstance.LOST, ("revoked", "certificateHold"), ("revoked", "superseded")),
        (Circumstance.BROKEN, ("good", None), ("revoked", "superseded")),
        (Circumstance.COMPROMISED, ("revoked", "keyCompromise"), ("revoked", "keyCompromise")),
        (Circumstance.DATA_CHANGED, ("good", None), ("revoked", "affiliationChanged")),
    ],
)
def test_the_old_certificate_tells_the_truth(
    house: Any, circumstance: Circumstance, at_once: tuple[str, str | None], in_the_end: tuple[str, str | None]
) -> None:
    old = house.issued()
    started = house.services.replacement.report(house.subscriber, old.id, circumstance=circumstance)
    assert status(house, old) == at_once
    new = replace_with(house, started)
    assert status(house, old) == in_the_end
    assert status(house, new) == ("good", None)
    assert new.replaces == old.id


def test_a_loss_is_reported_once_however_often(house: Any) -> None:
    old = house.issued()
    first = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    again = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    assert first.id == again.id


def test_a_replacement_needs_a_new_key(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    old = house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id)
    started = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.BROKEN)
    with pytest.raises(WeakKey, match="new key"):
        replace_with(house, started, key)


def test_a_found_token_is_good_again_and_the_replacement_is_withdrawn(house: Any) -> None:
    old = house.issued()
    started = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    house.services.replacement.found(house.subscriber, old.id)
    assert status(house, old) == ("good", None)
    assert house.current(started).state.value == "withdrawn"


def test_a_subscriber_does_not_lift_a_hold_of_the_staff(house: Any) -> None:
    certificate = house.issued()
    house.services.revocation.hold(house.officer, certificate.id, because="a test")
    house.services.replacement.report(house.subscriber, certificate.id, circumstance=Circumstance.LOST)
    with pytest.raises(NotPermitted):
        house.services.replacement.found(house.subscriber, certificate.id)
    with pytest.raises(NotPermitted):
        house.services.revocation.unhold(house.subscriber, certificate.id)
    assert status(house, certificate) == ("revoked", "certificateHold")


@pytest.mark.parametrize(
    ("circumstance", "action"), [(Circumstance.LOST, "held"), (Circumstance.COMPROMISED, "revoked")]
)
def test_staff_say_why_when_a_report_holds_or_revokes(house: Any, circumstance: Circumstance, action: str) -> None:
    certificate, report = house.issued(), house.services.replacement.report
    with pytest.raises(InvalidInput, match="say why"):
        report(house.operator, certificate.id, circumstance=circumstance)
    assert status(house, certificate) == ("good", None), "nothing was done"
    report(house.operator, certificate.id, circumstance=circumstance, because="he came without it")
    [ground] = house.services.certificates.grounds(house.operator, certificate.id)
    assert (ground.action, ground.words) == (action, "he came without it")


def test_staff_say_why_when_a_token_was_found(house: Any) -> None:
    certificate, found = house.issued(), house.services.replacement.found
    house.services.revocation.hold(house.officer, certificate.id, because="court order")
    with pytest.raises(InvalidInput, match="say why"):
        found(house.operator, certificate.id)
    assert status(house, certificate) == ("revoked", "certificateHold")
    found(house.operator, certificate.id, because="he showed it")
    words = {one.action: one.words for one in house.services.certificates.grounds(house.operator, certificate.id)}
    assert words == {"held": "court order", "unheld": "he showed it"}


def test_a_report_that_changes_no_status_needs_no_ground(house: Any) -> None:
    certificate = house.issued()
    house.services.replacement.report(house.operator, certificate.id, circumstance=Circumstance.BROKEN)
    assert house.services.certificates.grounds(house.operator, certificate.id) == []


def test_a_wrong_report_code_says_nothing_and_does_nothing(house: Any) -> None:
    with pytest.raises(NotFound):
        house.services.replacement.report_by_code("AAAA-BBBB-CCCC-DDDD-EEEE-FFFF")


def test_documents_on_file_are_carried_over_while_they_count(house: Any, clock: Any) -> None:
    from ca_core.services.new_application import NewApplication

    new = NewApplication(
        profile="eu-eidas/natural-person",
        subject={"C": "EE", "CN": "Ada", "SN": "Love", "givenName": "Ada", "serialNumber": "PNOEE-47101010033"},
        identification="in-person",
        centre=house.centre,
    )
    old = house.issued(new)
    started = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    carried = house.services.intake.get(house.subscriber, started.id).documents
    assert [one.kind for one in carried] == ["identity-document"]
    assert carried[0].state.value == "pending", "somebody looks at it again"
    [attached] = house.services.audit.list(house.auditor, object_id=str(carried[0].id))
    sources = house.services.intake.get(house.subscriber, old.application).documents
    assert attached.details["carried_from"] in {str(one.id) for one in sources}
    house.services.replacement.found(house.subscriber, old.id)
    clock.advance(timedelta(days=366))
    later = house.services.replacement.report(house.subscriber, old.id, circumstance=Circumstance.LOST)
    assert not house.services.intake.get(house.subscriber, later.id).documents


def test_invariant_10_a_revocation_shows_with_the_commit(house: Any) -> None:
    certificate = house.issued()
    assert status(house, certificate) == ("good", None)
    house.services.revocation.hold(house.operator, certificate.id, because="a test")
    assert status(house, certificate) == ("revoked", "certificateHold")
    house.services.revocation.unhold(house.operator, certificate.id, because="a test")
    assert status(house, certificate) == ("good", None)
    house.services.revocation.revoke(
        house.operator, certificate.id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    assert status(house, certificate) == ("revoked", "superseded")


@pytest.mark.parametrize(
    "reason", [one for one in RevocationReason if one.value not in (1, 2, 6)], ids=lambda one: one.label
)
def test_invariant_14_a_revoked_certificate_only_becomes_compromised(house: Any, reason: RevocationReason) -> None:
    certificate = house.issued()
    house.services.revocation.revoke(
        house.officer, certificate.id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    with pytest.raises(WrongState):
        house.services.revocation.revoke(house.officer, certificate.id, reason=reason, because="a test")
    revoked = house.services.revocation.revoke(
        house.officer, certificate.id, reason=RevocationReason.KEY_COMPROMISE, because="a test"
    )
    assert revoked.state is CertificateState.REVOKED
    assert status(house, certificate) == ("revoked", "keyCompromise")


def test_a_subscriber_does_not_speak_for_the_authority(house: Any) -> None:
    certificate = house.issued()
    for reason in (RevocationReason.CA_COMPROMISE, RevocationReason.PRIVILEGE_WITHDRAWN):
        with pytest.raises(NotPermitted):
            house.services.revocation.revoke(house.subscriber, certificate.id, reason=reason)


def test_the_invalidity_date_is_not_in_the_future(house: Any, clock: Any) -> None:
    certificate = house.issued()
    with pytest.raises(InvalidInput):
        house.services.revocation.revoke(
            house.officer,
            certificate.id,
            reason=RevocationReason.KEY_COMPROMISE,
            invalidity_date=clock() + timedelta(days=1),
            because="a test",
        )


def test_a_decision_on_an_old_version_is_refused(house: Any) -> None:
    certificate = house.issued()
    house.services.revocation.hold(house.operator, certificate.id, version=certificate.version, because="a test")
    with pytest.raises(StaleVersion):
        house.services.revocation.revoke(
            house.operator,
            certificate.id,
            reason=RevocationReason.SUPERSEDED,
            version=certificate.version,
            because="a test",
        )


def test_invariant_13_strangers_neither_see_nor_touch_a_certificate(house: Any) -> None:
    certificate = house.issued()
    for actor in (house.stranger, house.elsewhere):
        for step in (
            lambda actor=actor: house.services.certificates.get(actor, certificate.id),
            lambda actor=actor: house.services.certificates.get(actor, certificate.serial.hex),
            lambda actor=actor: house.services.certificates.get(actor, certificate.sha256.hex()),
            lambda actor=actor: house.services.certificates.export(actor, certificate.id, "pem"),
            lambda actor=actor: house.services.revocation.hold(actor, certificate.id, because="a test"),
            lambda actor=actor: house.services.replacement.report(
                actor, certificate.id, circumstance=Circumstance.LOST
            ),
        ):
            with pytest.raises(NotFound):
                step()
    for actor in (house.auditor, house.support):
        with pytest.raises(NotPermitted):
            house.services.revocation.revoke(
                actor, certificate.id, reason=RevocationReason.SUPERSEDED, because="a test"
            )


def test_the_authority_certificates_are_revoked_by_those_who_manage_keys_only(house: Any) -> None:
    from ca_core.domain.access import SYSTEM_ACTOR

    issuing = next(one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing")
    with pytest.raises(NotPermitted):
        house.services.revocation.revoke(
            house.reviewer, issuing.certificate_id, reason=RevocationReason.SUPERSEDED, because="a test"
        )
