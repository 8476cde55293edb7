"""Issuance: what is signed, when, on whose approval, and what stays when something breaks in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from secrets import token_bytes
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca_core.domain.access import EVERYTHING, SYSTEM_ACTOR
from ca_core.domain.certificate import CertificateState, RevocationReason
from ca_core.domain.errors import (
    ApprovalNeeded,
    CaError,
    IntegrityAlarm,
    KeyUnavailable,
    LintFailed,
    NotPermitted,
    TryAgain,
)
from ca_core.domain.identifiers import Serial
from ca_core.domain.path_validation import Question, Reason
from ca_core.domain.profile import LintMode
from ca_core.lint import Finding
from ca_core.services import certificate_content, issuance
from ca_core.x509.certificate import SignedCertificate


def rows(house: Any) -> list[Any]:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        return [tx.certificates.get(one, seen_by=EVERYTHING) for one in tx.certificates.all_ids()]


def subscribers(house: Any) -> list[Any]:
    return [one for one in rows(house) if one.application is not None]


def actions(house: Any) -> list[str]:
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        return [record.action for record in tx.audit.records()]


def test_a_certificate_is_issued_once_however_often_it_is_asked_for(house: Any) -> None:
    application = house.ready()
    first = house.services.issuance.issue(house.subscriber, application.id)
    again = house.services.issuance.issue(house.subscriber, application.id)
    assert first.serial == again.serial
    assert len(subscribers(house)) == 1
    assert house.current(application).state.value == "issued"


def test_invariant_1_the_serial_is_on_record_before_the_key_is_used(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = house.ready()
    seen: list[Any] = []

    def look() -> Exception:
        seen.extend(subscribers(house))
        return KeyUnavailable("the token was pulled")

    fail_to_sign(monkeypatch, house, look)
    with pytest.raises(KeyUnavailable):
        house.services.issuance.issue(house.subscriber, application.id)
    assert [one.state for one in seen] == [CertificateState.INTENT]
    assert seen[0].serial.value.bit_length() > 136


def test_invariant_1_a_thousand_serials_differ_and_are_positive(house: Any) -> None:
    serials = {Serial.random(token_bytes) for _ in range(1000)}
    assert len(serials) == 1000
    assert all(len(f"{one.value:x}") in (35, 36) and one.value.bit_length() <= 143 for one in serials)


def fail_to_sign(patch: pytest.MonkeyPatch, house: Any, failure: Callable[[], BaseException]) -> None:
    """The key is found, and fails when it is used."""
    genuine = house.program.keys.signer

    class Failing:
        def __init__(self, signer: Any) -> None:
            self.algorithm = signer.algorithm
            self.algorithm_identifier = signer.algorithm_identifier
            self.parallel = signer.parallel
            self.public_key_info = signer.public_key_info

        def sign(self, data: bytes) -> bytes:
            raise failure()

    patch.setattr(house.program.keys, "signer", lambda *named: Failing(genuine(*named)))


def test_invariant_2_a_finding_blocks_before_anything_is_recorded(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = house.ready()
    build = certificate_content.to_be_signed

    def without_extensions(**fields: Any) -> bytes:
        return build(**{**fields, "extensions": ()})

    monkeypatch.setattr(certificate_content, "to_be_signed", without_extensions)
    with pytest.raises(LintFailed):
        house.services.issuance.issue(house.subscriber, application.id)
    assert not subscribers(house)


def test_invariant_2_the_signed_bytes_are_the_linted_bytes(house: Any) -> None:
    certificate = house.issued()
    assert SignedCertificate.parse(certificate.der).tbs == certificate.tbs
    assert x509.load_der_x509_certificate(certificate.der).tbs_certificate_bytes == certificate.tbs


def test_invariant_3_the_intent_holds_all_that_was_decided(house: Any) -> None:
    application = house.ready()
    certificate = house.services.issuance.issue(house.subscriber, application.id)
    assert certificate.profile_digest == application.profile_digest
    assert certificate.approval_digest is not None
    names = actions(house)
    assert names.index("certificate.intent") < len(names) - 1 - names[::-1].index("certificate.issued")


def test_invariant_3_after_a_failed_signature_the_serial_is_revoked_and_never_used_again(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = house.ready()
    with monkeypatch.context() as patch:
        fail_to_sign(patch, house, lambda: KeyUnavailable("the token was pulled"))
        with pytest.raises(KeyUnavailable):
            house.services.issuance.issue(house.subscriber, application.id)
    certificate = house.services.issuance.issue(house.subscriber, application.id)
    given_up = [one for one in subscribers(house) if one.state is CertificateState.ABANDONED]
    assert len(given_up) == 1
    assert given_up[0].serial != certificate.serial
    assert house.program.ocsp.status(given_up[0].issuer, given_up[0].serial).status == "revoked"


def test_invariant_3_an_intent_whose_signer_died_is_given_up_after_a_while(
    house: Any, clock: Any, monkeypatch: Any
) -> None:
    application = house.ready()

    class Died(BaseException):
        """What no handler catches, like a kill."""

    with monkeypatch.context() as patch:
        fail_to_sign(patch, house, Died)
        with pytest.raises(Died):
            house.services.issuance.issue(house.subscriber, application.id)
    with pytest.raises(TryAgain):
        house.services.issuance.issue(house.subscriber, application.id)
    assert house.services.reconciliation.tick() == 0, "it might still be signing"
    clock.advance(timedelta(minutes=3))
    assert house.services.reconciliation.tick() == 1
    assert house.services.reconciliation.tick() == 0
    assert house.services.issuance.issue(house.subscriber, application.id).state is CertificateState.ISSUED


def test_of_a_signature_whose_record_was_lost_everybody_says_the_same(
    house: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, signed = house.ready(), []
    genuine = issuance.sign_certificate

    def lose(linted: Any, signer: Any) -> Any:
        signed.append(genuine(linted, signer))
        raise KeyUnavailable("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(issuance, "sign_certificate", lose)
        with pytest.raises(KeyUnavailable):
            house.services.issuance.issue(house.subscriber, application.id)
    [row] = [one for one in subscribers(house) if one.state is CertificateState.ABANDONED]
    assert house.program.ocsp.status(row.issuer, row.serial).status == "revoked"
    judge = house.services.path_validation.validate
    assert judge(house.subscriber, Question(certificate=signed[0])).reason is Reason.REVOKED
    forged = signed[0][:-1] + bytes([signed[0][-1] ^ 1])
    assert not judge(house.subscriber, Question(certificate=forged)).valid


def test_invariant_4_a_wrong_signature_is_never_handed_out(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = house.ready()
    genuine = house.program.keys.signer

    class Faulty:
        def __init__(self, signer: Any) -> None:
            self._signer = signer
            self.algorithm = signer.algorithm
            self.algorithm_identifier = signer.algorithm_identifier
            self.parallel = signer.parallel
            self.public_key_info = signer.public_key_info

        def sign(self, data: bytes) -> bytes:
            return bytes(self._signer.sign(data + b"a bit flipped in the token"))

    with monkeypatch.context() as patch:
        patch.setattr(house.program.keys, "signer", lambda *args: Faulty(genuine(*args)))
        with pytest.raises(IntegrityAlarm):
            house.services.issuance.issue(house.subscriber, application.id)
    assert [one.der for one in subscribers(house)] == [None]
    assert "alarm.integrity" in actions(house)


def test_invariant_6_no_certificate_outlives_its_issuer(open_house: Any, clock: Any) -> None:
    house = open_house()
    clock.advance(timedelta(days=3652 - 30))
    house.services.authorities.renew_responders(SYSTEM_ACTOR)
    certificate = house.issued()
    issuer = next(one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing")
    assert certificate.not_after == issuer.not_after


def test_invariant_7_an_audit_record_that_cannot_be_written_stops_the_change(house: Any, monkeypatch: Any) -> None:
    draft = house.apply()
    before = actions(house)

    def broken(purpose: str) -> tuple[str, bytes]:
        raise KeyUnavailable("the audit key cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(house.program.symmetric, "current", broken)
        with pytest.raises(CaError):
            house.services.intake.update(house.subscriber, draft.id, version=draft.version, subject={"CN": "changed"})
    assert house.current(draft).subject == draft.subject
    assert actions(house) == before


def test_invariant_9_the_partition_is_baked_into_the_distribution_point(open_house: Any) -> None:
    house = open_house(partitions=4)
    certificate = house.issued()
    assert 1 <= certificate.partition <= 4
    points = x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(
        x509.CRLDistributionPoints
    )
    assert points.value[0].full_name[0].value.endswith(f"/{certificate.partition}.crl")
    house.services.revocation.revoke(
        house.officer, certificate.id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    for crl in house.program.crls.issue(house.officer, "issuing"):
        listed = x509.load_der_x509_crl(crl.der).get_revoked_certificate_by_serial_number(certificate.serial.value)
        assert (listed is not None) == (crl.partition in (0, certificate.partition)), "0 is the complete list"


def test_invariant_17_a_demo_profile_cannot_reach_a_production_issuer(house: Any, monkeypatch: Any) -> None:
    from dataclasses import replace

    from ca_core.domain.errors import ConfigurationError
    from ca_core.domain.profile import Environment

    application = house.ready()
    genuine = house.services.profiles.pinned
    monkeypatch.setattr(
        house.services.profiles,
        "pinned",
        lambda *args: replace(genuine(*args), environment=Environment.DEMO),
    )
    with pytest.raises(ConfigurationError, match="demo"):
        house.services.issuance.issue(house.subscriber, application.id)
    assert not subscribers(house)


def test_what_is_not_approved_is_not_issued(house: Any) -> None:
    application = house.submit(house.apply())
    with pytest.raises(ApprovalNeeded):
        house.services.issuance.issue(house.subscriber, application.id)
    with pytest.raises(NotPermitted):
        house.services.issuance.issue(house.auditor, application.id)


def test_what_the_request_asks_for_beside_the_key_counts_for_nothing(house: Any) -> None:
    certificate = house.issued()
    read = x509.load_der_x509_certificate(certificate.der)
    assert read.subject.rfc4514_string() == "CN=client,O=Example Ltd"


def test_many_at_once_get_one_certificate_for_one_application(house: Any) -> None:
    application = house.ready()
    results: list[Any] = []

    def ask() -> None:
        try:
            results.append(house.services.issuance.issue(house.subscriber, application.id).serial)
        except CaError as error:
            results.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    serials = {one for one in results if not isinstance(one, str)}
    assert len(serials) == 1
    assert set(results) - serials <= {"try-again", "duplicate", "wrong-state", "stale-version"}
    assert len([one for one in subscribers(house) if one.state is CertificateState.ISSUED]) == 1


def test_a_preview_shows_what_would_be_signed_and_stores_nothing(house: Any) -> None:
    application = house.ready()
    before = actions(house)
    prepared = house.services.issuance.preview(house.subscriber, application.id)
    assert prepared.subject == "CN=client,O=Example Ltd"
    assert actions(house) == before


def test_the_daily_recheck_finds_nothing_wrong_and_says_so(house: Any, clock: Any) -> None:
    house.issued()
    report = house.services.recheck.run(clock() - timedelta(hours=1), clock() + timedelta(hours=1))
    assert report.certificates == 4, "root, issuing authority, responder and one subscriber"
    assert report.faults == ()
    assert "recheck.done" in actions(house)


def test_the_steps_are_told_in_their_order(house: Any) -> None:
    application = house.ready()
    house.observed.clear()
    house.services.issuance.issue(house.subscriber, application.id)
    assert house.observed == ["serial", "lint", "intent", "sign", "store"]


def test_a_profile_may_ask_for_the_full_lint_of_the_first_of_each_combination_only(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = next(one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing")
    signer = house.program.keys.signer(authority.key_reference, authority.signature_algorithm)
    known = house.services.profiles.profile("private/tls-client", on=house.program.clock().date())
    looked_at: list[bytes] = []
    found: list[Finding] = []

    def look(certificate: bytes, profile: Any) -> list[Finding]:
        looked_at.append(certificate)
        return found

    monkeypatch.setattr(certificate_content, "lint_by_profile", look)
    monkeypatch.setattr(certificate_content, "_linted", {})

    def compose(key: Any, lint: LintMode = LintMode.ACTIVATION, **subject: str) -> None:
        certificate_content.compose(
            replace(known, lint=lint),
            issuer_certificate=authority.certificate,
            signature_algorithm=signer.algorithm_identifier,
            subject={"CN": "client", **subject},
            public_key_info=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            serial=Serial.random(token_bytes),
            now=house.program.clock(),
            urls=certificate_content.urls_of(authority.key_identifier, base="http://example.org", partition=0),
        )

    first, second, larger = (ec.generate_private_key(curve()) for curve in (ec.SECP256R1, ec.SECP256R1, ec.SECP384R1))
    found.append(Finding("pkix.something", "is wrong"))
    for _ in range(2):
        with pytest.raises(LintFailed):
            compose(first)
    assert len(looked_at) == 2, "what was not passed is not remembered"
    found.clear()
    for key in (first, first, second):
        compose(key)
    assert len(looked_at) == 3
    compose(larger)
    assert len(looked_at) == 4, "another kind of key"
    compose(first, O="Example Ltd")
    assert len(looked_at) == 5, "another attribute"
    compose(first, lint=LintMode.BLOCKING)
    assert len(looked_at) == 6, "a profile that blocks looks at each"
