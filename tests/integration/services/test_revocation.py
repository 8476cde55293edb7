"""Revocation beyond the one certificate: of authorities, of every certificate over a key, and whose hold it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ca_core.domain.access import SYSTEM_ACTOR, Permission
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import ConfigurationError, InvalidInput, NotPermitted, WeakKey, WrongState
from ca_core.services.replacement_reason import Circumstance
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.ocsp import CertId, CertStatus, ResponseStatus, Revoked, ocsp_request
from ca_core.x509.ocsp_answer import OcspAnswer
from pechatnik.readiness import examine

R = RevocationReason


def authority(house: Any, name: str) -> Any:
    return next(one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == name)


def revoke_authority(house: Any, name: str, reason: RevocationReason) -> None:
    house.services.revocation.revoke(
        SYSTEM_ACTOR, authority(house, name).certificate_id, reason=reason, because="a test"
    )


def answer(house: Any, certificate: Any) -> OcspAnswer:
    issuer = SignedCertificate.parse(authority(house, "issuing").certificate)
    asked = CertId.make(
        issuer=issuer.subject,
        issuer_public_key_info=issuer.public_key_info,
        serial=certificate.serial.value,
        digest="sha256",
    )
    return OcspAnswer.parse(house.program.ocsp.answer(ocsp_request([asked])).body)


def said(house: Any, certificate: Any) -> CertStatus | Revoked:
    data = answer(house, certificate).data
    assert data is not None
    return data.answers[0].status


@pytest.mark.parametrize("name", ["root", "issuing"])
def test_a_revoked_authority_issues_nothing_more_nor_does_any_below_it(house: Any, name: str) -> None:
    application = house.ready()
    revoke_authority(house, name, R.CESSATION_OF_OPERATION)
    assert authority(house, name).state is AuthorityState.REVOKED
    with pytest.raises(ConfigurationError):
        house.services.issuance.issue(house.subscriber, application.id)
    [finding] = [one for one in examine(house.program) if one.name == "authorities"]
    assert not finding.ok


def test_of_a_compromised_issuer_every_certificate_is_called_revoked(house: Any) -> None:
    certificate = house.issued()
    assert said(house, certificate) is CertStatus.GOOD
    revoke_authority(house, "issuing", R.KEY_COMPROMISE)
    revoked = said(house, certificate)
    assert isinstance(revoked, Revoked)
    assert revoked.reason == R.CA_COMPROMISE


def test_a_revoked_responder_signs_no_answer_more_and_gets_a_successor(house: Any) -> None:
    certificate = house.issued()
    revoke_authority(house, "ocsp-1", R.KEY_COMPROMISE)
    assert answer(house, certificate).status is ResponseStatus.TRY_LATER
    house.program.worker.run_once()
    answered = answer(house, certificate)
    assert answered.status is ResponseStatus.SUCCESSFUL
    assert answered.certificates[0].der != authority(house, "ocsp-1").certificate
    assert authority(house, "ocsp-2").state is AuthorityState.ACTIVE


@pytest.mark.parametrize("name", ["root", "issuing", "ocsp-1"])
def test_nobody_revokes_an_authority_from_afar(house: Any, name: str) -> None:
    id = authority(house, name).certificate_id
    for who in (house.officer, house.reviewer, house.administrator):
        with pytest.raises(NotPermitted):
            house.services.revocation.revoke(who, id, reason=R.KEY_COMPROMISE, because="a test")
    assert authority(house, name).state is AuthorityState.ACTIVE


def test_an_authority_is_not_put_on_hold(house: Any) -> None:
    with pytest.raises(WrongState):
        house.services.revocation.hold(SYSTEM_ACTOR, authority(house, "issuing").certificate_id, because="a test")


def test_every_certificate_over_a_compromised_key_is_revoked(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    one, other = (
        house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id) for _ in range(2)
    )
    unrelated = house.issued()
    house.services.revocation.revoke(house.subscriber, one.id, reason=R.KEY_COMPROMISE)
    assert house.services.certificates.get(house.subscriber, other.id).reason is R.KEY_COMPROMISE
    assert house.services.certificates.get(house.subscriber, unrelated.id).state is CertificateState.ISSUED
    with pytest.raises(WeakKey):
        house.request(house.approved(), key)


def test_other_reasons_leave_other_certificates_over_the_key_alone(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    one, other = (
        house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id) for _ in range(2)
    )
    house.services.revocation.revoke(house.subscriber, one.id, reason=R.SUPERSEDED)
    assert house.services.certificates.get(house.subscriber, other.id).state is CertificateState.ISSUED


def test_ca_compromise_is_said_of_authorities_alone(house: Any) -> None:
    with pytest.raises(InvalidInput):
        house.services.revocation.revoke(house.operator, house.issued().id, reason=R.CA_COMPROMISE, because="a test")


def test_staff_take_over_a_hold_of_the_owner_who_then_cannot_lift_it(house: Any) -> None:
    certificate = house.issued()
    held = house.services.revocation.hold(house.subscriber, certificate.id)
    taken = house.services.revocation.hold(house.officer, certificate.id, because="a test")
    assert taken.revoked_at == held.revoked_at
    with pytest.raises(NotPermitted):
        house.services.replacement.found(house.subscriber, certificate.id)
    with pytest.raises(WrongState):
        house.services.revocation.hold(house.subscriber, certificate.id)
    assert (
        house.services.revocation.unhold(house.officer, certificate.id, because="a test").state
        is CertificateState.ISSUED
    )


@pytest.mark.parametrize("circumstance", [Circumstance.LOST, Circumstance.COMPROMISED])
def test_a_token_that_may_only_replace_neither_holds_nor_revokes(house: Any, circumstance: Circumstance) -> None:
    certificate = house.issued()
    account = house.services.accounts.get(SYSTEM_ACTOR, house.subscriber.id)
    narrow = account.actor(scopes=frozenset({Permission.CERTIFICATE_REPLACE, Permission.CERTIFICATE_VIEW}))
    with pytest.raises(NotPermitted):
        house.services.replacement.report(narrow, certificate.id, circumstance=circumstance)
    assert house.services.certificates.get(house.subscriber, certificate.id).state is CertificateState.ISSUED


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(9999, 12, 31, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
    ],
    ids=["no zone", "to come", "too old"],
)
def test_an_impossible_invalidity_date_is_refused(house: Any, moment: datetime) -> None:
    certificate = house.issued()
    with pytest.raises(InvalidInput) as refusal:
        house.services.revocation.revoke(
            house.operator, certificate.id, reason=R.KEY_COMPROMISE, invalidity_date=moment, because="a test"
        )
    assert "invalidity_date" in refusal.value.fields


def test_an_invalidity_date_is_kept(house: Any, clock: Any) -> None:
    certificate = house.issued()
    clock.advance(timedelta(days=2))
    since = clock() - timedelta(days=1)
    revoked = house.services.revocation.revoke(
        house.operator, certificate.id, reason=R.KEY_COMPROMISE, invalidity_date=since, because="a test"
    )
    assert revoked.invalidity_date == since
