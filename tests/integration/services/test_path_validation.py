"""Verdicts on certificates of our own, from our own store, and on those of others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca_core.domain.access import Permission
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import ConfigurationError, NotPermitted
from ca_core.domain.path_validation import EvidenceKind, Question, Reason, RevocationChecking, ValidationPolicy
from tests.unit.validation.conftest import certificate as made, der, revocation_list


def judge(house: Any, data: bytes, **asked: Any) -> Any:
    return house.services.path_validation.validate(house.support, Question(certificate=data, **asked))


def test_our_own_is_valid_by_our_own_store_up_to_our_root(house: Any) -> None:
    issued = house.issued()
    verdict = judge(house, issued.der)
    assert (verdict.valid, verdict.certificate, len(verdict.chain)) == (True, 0, 3)
    assert verdict.chain[0].serial == issued.serial.hex
    assert [one.kind for one in verdict.evidence] == [EvidenceKind.STORE] * 3
    assert verdict.reusable_until is None


def test_invariant_10_each_change_of_status_is_seen_by_the_next_verdict(house: Any, clock: Any) -> None:
    issued = house.issued()
    change = house.services.revocation
    assert judge(house, issued.der).reason is Reason.VALID
    before = clock()
    clock.advance(timedelta(hours=1))
    change.hold(house.officer, issued.id, because="asked by telephone")
    assert judge(house, issued.der).reason is Reason.ON_HOLD
    lenient = ValidationPolicy(hold_is_revoked=False)
    assert judge(house, issued.der, policy=lenient).valid
    change.unhold(house.officer, issued.id, because="found")
    assert judge(house, issued.der).reason is Reason.VALID
    clock.advance(timedelta(hours=1))
    change.revoke(house.officer, issued.id, reason=R.KEY_COMPROMISE, because="stolen")
    verdict = judge(house, issued.der)
    assert (verdict.reason, verdict.revocation_reason) == (Reason.REVOKED, "keyCompromise")
    assert judge(house, issued.der, at=before).valid
    soft = ValidationPolicy(revocation=RevocationChecking.SOFT)
    assert judge(house, issued.der, policy=soft).reason is Reason.REVOKED


def test_a_key_is_not_trusted_from_when_it_is_suspect(house: Any, clock: Any) -> None:
    issued = house.issued()
    suspect = clock.advance(timedelta(hours=1))
    clock.advance(timedelta(hours=1))
    house.services.revocation.revoke(
        house.officer, issued.id, reason=R.KEY_COMPROMISE, invalidity_date=suspect, because="stolen"
    )
    assert judge(house, issued.der, at=suspect).reason is Reason.REVOKED
    assert judge(house, issued.der, at=suspect - timedelta(seconds=1)).valid


def test_what_ended_is_not_valid(house: Any, clock: Any) -> None:
    issued = house.issued()
    clock.moment = issued.not_after + timedelta(seconds=1)
    assert judge(house, issued.der).reason is Reason.EXPIRED


def test_under_anchors_of_the_asker_our_own_roots_are_not_trusted(house: Any) -> None:
    issued = house.issued()
    service = house.services.path_validation
    stranger = der(made("root", "root"))
    question = Question(certificate=issued.der)
    assert service.validate(house.support, question, anchors=[stranger]).reason is Reason.NO_PATH
    root = service.validate(house.support, question).chain[-1].der
    assert service.validate(house.support, question, anchors=[root]).valid


def test_of_others_our_store_says_nothing(house: Any, clock: Any) -> None:
    now = clock()
    day = timedelta(days=1)
    root = made("root", "root", begins=now - day, ends=now + day)
    leaf = der(made("leaf", "root", ca=False, begins=now - day, ends=now + day))
    assert judge(house, leaf).reason is Reason.NO_PATH
    service = house.services.path_validation
    question = Question(certificate=leaf)
    assert service.validate(house.support, question, anchors=[der(root)]).reason is Reason.STATUS_UNKNOWN
    told = Question(certificate=leaf, lists=(revocation_list("root", made=now - day, until=now + day),))
    assert service.validate(house.support, told, anchors=[der(root)]).valid


def test_the_configured_anchors_are_trusted_beside_our_own(open_house: Any, tmp_path: Path, clock: Any) -> None:
    now = clock()
    day = timedelta(days=1)
    root: x509.Certificate = made("root", "root", begins=now - day, ends=now + day)
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "others.pem").write_bytes(root.public_bytes(Encoding.PEM))
    house = open_house(extra='[validation]\nanchors = "anchors"\nrevocation = "soft"\n')
    verdict = house.services.path_validation.validate(
        house.support,
        Question(
            certificate=der(made("leaf", "root", ca=False, begins=now - day, ends=now + day)),
            policy=house.services.path_validation.policy,
        ),
    )
    assert (verdict.valid, len(verdict.unknown)) == (True, 1)


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_anchors_that_cannot_be_read_stop_the_start(open_house: Any, tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "anchors").mkdir()
    if content is not None:
        (tmp_path / "anchors" / "others.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match="anchors"):
        open_house(extra='[validation]\nanchors = "anchors"\n')


def test_who_lacks_the_right_has_nothing_judged(house: Any) -> None:
    with pytest.raises(NotPermitted, match=Permission.CERTIFICATE_VERIFY.value):
        house.services.path_validation.validate(house.administrator, Question(certificate=b""))
