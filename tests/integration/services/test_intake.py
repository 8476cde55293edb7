"""An application from draft to its request: what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import (
    CaError,
    InvalidInput,
    MalformedDer,
    NotFound,
    NotPermitted,
    PossessionNotProven,
    ProfileViolation,
    StaleVersion,
    WeakKey,
    WrongState,
)
from ca_core.services.new_application import NewApplication

RUSSIAN = {
    "ST": "77 г. Москва",
    "L": "Москва",
    "STREET": "ул. Примерная, д. 1",
    "O": "ООО «Образец»",
    "title": "Директор",
    "CN": "ООО «Образец»",
    "SN": "Образцова",
    "givenName": "Анна Петровна",
    "OGRN": "1027700132195",
    "SNILS": "11223344595",
    "INNLE": "7707083893",
    "INN": "500100732259",
}


def records(house: Any) -> int:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        return int(tx.audit.head()[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"INNLE": "7707083894"}, "INNLE"),
        ({"SNILS": "11223344590"}, "SNILS"),
        ({"OGRN": "102770013219"}, "OGRN"),
        ({"CN": "А" * 65}, "CN"),
        ({"SN": "Об\u202eразцова"}, "SN"),
        ({"C": "US"}, "C"),
        ({"favouriteColour": "red"}, "favouriteColour"),
    ],
    ids=[
        "wrong check digit",
        "wrong SNILS",
        "short OGRN",
        "too long",
        "text that turns around",
        "fixed value",
        "unknown",
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_stored(house: Any, change: dict[str, str], field: str) -> None:
    before = records(house)
    with pytest.raises(InvalidInput) as refusal:
        house.apply(NewApplication(profile="ru-63fz/legal-person", subject=RUSSIAN | change, centre=house.centre))
    assert field in refusal.value.fields
    assert records(house) == before
    assert not house.services.intake.list(house.subscriber).items


def test_a_draft_may_be_incomplete_and_submission_names_what_is_missing(house: Any) -> None:
    draft = house.apply(
        NewApplication(profile="ru-63fz/legal-person", subject={"CN": "ООО «Образец»"}, centre=house.centre)
    )
    with pytest.raises(InvalidInput) as refusal:
        house.services.intake.submit(house.subscriber, draft.id, version=draft.version)
    assert {"INN", "SNILS", "identification"} <= refusal.value.fields.keys()
    changed = house.services.intake.update(
        house.subscriber, draft.id, version=draft.version, subject=RUSSIAN, identification="personal"
    )
    with pytest.raises(InvalidInput) as refusal:
        house.services.intake.submit(house.subscriber, draft.id, version=changed.version)
    assert {"passport", "application-form"} <= refusal.value.fields.keys()


def test_values_are_tidied_to_unicode_form_c_without_outer_space(house: Any) -> None:
    draft = house.apply(
        NewApplication(profile="private/tls-client", subject={"CN": "  Cafe\u0301 "}, centre=house.centre)
    )
    assert draft.subject == {"CN": "Café"}


def test_a_subscriber_applies_in_no_other_name(house: Any) -> None:
    with pytest.raises(NotPermitted):
        house.apply(replace(house.tls(), owner=house.stranger.id))


def test_an_operator_applies_for_a_subscriber_in_his_own_centre_only(house: Any) -> None:
    new = replace(house.tls(), owner=house.subscriber.id)
    assert house.apply(new, by=house.operator).owner == house.subscriber.id
    with pytest.raises(InvalidInput):
        house.apply(new, by=house.elsewhere)


@pytest.mark.parametrize("profile", ["private/root-ca", "private/ocsp-responder", "nowhere/nothing"])
def test_nobody_applies_for_a_profile_that_is_not_offered(house: Any, profile: str) -> None:
    with pytest.raises(NotFound):
        house.apply(replace(house.tls(), profile=profile))


def test_a_stale_version_is_refused(house: Any) -> None:
    draft = house.apply()
    house.services.intake.update(house.subscriber, draft.id, version=draft.version, subject={"O": "A", "CN": "b"})
    with pytest.raises(StaleVersion):
        house.services.intake.update(house.subscriber, draft.id, version=draft.version, subject={"O": "C", "CN": "d"})


def test_a_withdrawn_application_is_over_and_a_new_one_is_possible(house: Any) -> None:
    application = house.submit(house.apply())
    withdrawn = house.services.intake.withdraw(house.subscriber, application.id, version=application.version)
    assert withdrawn.state.value == "withdrawn"
    assert withdrawn.due_at is None
    with pytest.raises(WrongState):
        house.services.intake.withdraw(house.subscriber, application.id, version=withdrawn.version)
    assert house.submit(house.apply()).state.value == "submitted"


def rsa_1024() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def exponent_3() -> Any:
    return rsa.generate_private_key(public_exponent=3, key_size=2048)


@pytest.mark.parametrize("key", [rsa_1024, exponent_3], ids=["RSA of 1024 bits", "RSA with exponent 3"])
def test_invariant_5_a_weak_key_is_refused(house: Any, key: Any) -> None:
    application = house.approved()
    with pytest.raises(WeakKey):
        house.request(application, key())
    assert house.current(application).state.value == "awaiting-key"


def der_request(key: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ignored")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_invariant_5_possession_is_proven(house: Any) -> None:
    application = house.approved()
    request = bytearray(der_request(ec.generate_private_key(ec.SECP256R1())))
    request[-1] ^= 1
    with pytest.raises((PossessionNotProven, MalformedDer)):
        house.services.requests.receive(house.subscriber, application.id, bytes(request), version=application.version)
    own, foreign = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    spki = [key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in (own, foreign)]
    stolen = der_request(own).replace(spki[0], spki[1])
    with pytest.raises(PossessionNotProven):
        house.services.requests.receive(house.subscriber, application.id, stolen, version=application.version)


def test_invariant_5_a_blocked_key_is_refused(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id)
    house.services.revocation.revoke(house.subscriber, certificate.id, reason=RevocationReason.KEY_COMPROMISE)
    with pytest.raises(WeakKey, match="compromised"):
        house.request(house.approved(), key)


def test_invariant_5_a_key_of_somebody_else_is_refused(house: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    house.services.issuance.issue(house.subscriber, house.request(house.approved(), key).id)
    application = house.apply(house.tls(), by=house.stranger)
    application = house.approve(house.submit(application, by=house.stranger))
    with pytest.raises(WeakKey, match="somebody else"):
        house.request(application, key, by=house.stranger)


def test_a_key_that_the_profile_does_not_allow_is_refused(house: Any) -> None:
    new = NewApplication(
        profile="eu-eidas/natural-person",
        subject={"C": "EE", "CN": "Ada", "SN": "Love", "givenName": "Ada", "serialNumber": "PNOEE-47101010033"},
        identification="in-person",
        centre=house.centre,
    )
    application = house.approved(new)
    with pytest.raises(ProfileViolation):
        house.request(application, ed448.Ed448PrivateKey.generate())


@pytest.mark.parametrize(
    "request_bytes", [b"", b"nonsense", b"0" * 100_000, b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"]
)
def test_a_request_that_is_none_is_refused(house: Any, request_bytes: bytes) -> None:
    application = house.approved()
    with pytest.raises(CaError):
        house.services.requests.receive(house.subscriber, application.id, request_bytes, version=application.version)
    assert house.current(application).request_der is None


def test_only_the_subscriber_accepts_the_certificate(house: Any) -> None:
    certificate = house.issued()
    application = house.services.intake.get(SYSTEM_ACTOR, certificate.application).application
    with pytest.raises(NotPermitted):
        house.services.acceptance.accept(house.operator, application.id, version=application.version)
    accepted, code = house.services.acceptance.accept(house.subscriber, application.id, version=application.version)
    assert accepted.state.value == "accepted"
    assert house.services.replacement.report_by_code(code.lower().replace("-", " ")).state.value == "held"
