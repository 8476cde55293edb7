"""Tokens: what they say, when there is none, and that time and numbers go on only."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ca_core.domain.access import SYSTEM_ACTOR, Permission
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import IntegrityAlarm, KeyUnavailable, NotPermitted, TimestampRefused
from ca_core.domain.pki_failure import PkiFailure
from ca_core.services import timestamping
from ca_core.services.timestamp_token import TokenComposer
from ca_core.services.timestamping import Asked
from ca_core.x509.signed_data import SignedAttributes, SignedMessage
from ca_core.x509.tst_info import TST_INFO
from tests.integration.timestamps.conftest import CONTENT, Office, info_of, request_for

MICROSECOND = timedelta(microseconds=1)


def refusal(office: Office, **terms: Any) -> PkiFailure:
    """Why there is no token; and nothing is kept then."""
    before = len(office.rows())
    with pytest.raises(TimestampRefused) as caught:
        office.stamp(**terms)
    assert len(office.rows()) == before
    return caught.value.failure


def test_a_token_says_what_was_asked_and_is_in_the_archive(office: Office) -> None:
    token = office.stamp(request_for(nonce=77, certificates=True))
    info = info_of(token)
    assert (info.nonce, info.policy, info.gen_time) == (77, "2.5.29.32.0", office.clock())
    assert (info.accuracy, info.ordering) == (timedelta(hours=1), False)
    (row,) = office.rows()
    assert (row.sequence, row.serial, row.gen_time, row.der) == (1, info.serial, info.gen_time, token)
    assert (row.tsa, row.policy, row.hash_algorithm) == (office.tsa.id, info.policy, "sha256")
    assert office.house.services.timestamp_archive.verify(token, CONTENT).valid


def test_the_signed_attributes_are_three_and_the_time_is_told_once(office: Office) -> None:
    message = SignedMessage.parse(office.stamp())
    attributes = SignedAttributes.parse(message.attributes)
    assert len(attributes.values) == 3
    assert attributes.content_type == TST_INFO
    assert attributes.certificate_digest is not None


def test_certificates_are_in_the_token_only_when_they_are_asked_for(office: Office) -> None:
    assert SignedMessage.parse(office.stamp()).certificates == ()
    asked = SignedMessage.parse(office.stamp(request_for(certificates=True)))
    issuing = next(one for one in office.house.services.authorities.list(SYSTEM_ACTOR) if one.name == "issuing")
    assert set(asked.certificates) == {office.tsa.certificate, issuing.certificate}


def test_certificates_that_are_not_here_are_not_promised(office: Office) -> None:
    keys = office.house.program.keys
    composer = TokenComposer(
        office.tsa,
        keys.signer(office.tsa.key_reference, office.tsa.signature_algorithm),
        chain=None,
        accuracy=timedelta(seconds=1),
        ordering=False,
    )
    serial = info_of(office.stamp()).serial
    told = {"policy": "1.2.3", "serial": serial, "gen_time": office.clock()}
    composer.draft(request_for(), **told)
    with pytest.raises(TimestampRefused) as caught:
        composer.draft(request_for(certificates=True), **told)
    assert caught.value.failure is PkiFailure.ADD_INFO_NOT_AVAILABLE


def test_the_first_policy_is_the_default_and_others_are_asked_for(office: Office) -> None:
    policies = ("1.2.3.4", "1.2.3.5")
    assert info_of(office.stamp(policies=policies)).policy == "1.2.3.4"
    assert info_of(office.stamp(request_for(policy="1.2.3.5"), policies=policies)).policy == "1.2.3.5"
    with pytest.raises(TimestampRefused) as caught:
        office.stamp(request_for(policy="1.2.3.6"), policies=policies)
    assert caught.value.failure is PkiFailure.UNACCEPTED_POLICY


def test_a_clock_that_was_set_back_makes_no_token_until_it_is_right_again(office: Office) -> None:
    office.clock.advance(timedelta(minutes=3))
    office.stamp()
    office.clock.advance(-timedelta(minutes=3))  # as the database has it
    assert refusal(office, accuracy=timedelta(minutes=2)) is PkiFailure.TIME_NOT_AVAILABLE
    office.clock.advance(timedelta(seconds=61))
    office.stamp(accuracy=timedelta(minutes=2))


def test_within_the_accuracy_time_stands_still_rather_than_going_back(office: Office) -> None:
    first = info_of(office.stamp()).gen_time
    office.clock.advance(-timedelta(seconds=5))
    assert info_of(office.stamp()).gen_time == first
    assert info_of(office.stamp(ordering=True)).gen_time == first + MICROSECOND


def test_clocks_that_disagree_make_no_token(office: Office) -> None:
    for by in (timedelta(minutes=4), -timedelta(minutes=8)):
        office.clock.advance(by)
        assert refusal(office, accuracy=timedelta(minutes=2)) is PkiFailure.TIME_NOT_AVAILABLE


def test_ordered_tokens_have_each_a_time_of_its_own(office: Office) -> None:
    infos = [info_of(token) for token in (*office.stamp_all(5, ordering=True), office.stamp(ordering=True))]
    assert all(info.ordering for info in infos)
    assert all(later.gen_time > earlier.gen_time for earlier, later in itertools.pairwise(infos))


def test_many_share_a_transaction_and_a_record_for_each_who_asked(office: Office) -> None:
    house = office.house
    actors = (house.subscriber, house.operator) * 3
    asked = [Asked(actor=actor, request=request_for(b"%d" % n)) for n, actor in enumerate(actors)]
    tokens = office.service().stamp_all(asked)
    rows = {row.der: row for row in office.rows()}
    assert [rows[token].requested_by for token in tokens] == [actor.id for actor in actors]
    records = [one for one in house.services.audit.list(house.auditor, limit=1000) if one.action == "timestamps.issued"]
    assert {one.actor for one in records} == {house.subscriber.id, house.operator.id}
    assert len(records) == 2
    assert office.faults() == ()


def test_one_that_is_refused_keeps_the_others_from_nothing(office: Office) -> None:
    asked = [Asked(actor=SYSTEM_ACTOR, request=request_for(policy=policy)) for policy in (None, "1.2.3", None)]
    first, refused, last = office.service().stamp_all(asked)
    assert isinstance(refused, TimestampRefused)
    assert [row.der for row in office.rows()] == [first, last]


def test_without_an_authority_there_is_no_token(house: Any, clock: Any) -> None:
    with pytest.raises(TimestampRefused) as caught:
        Office(house, clock, None).stamp()  # type: ignore[arg-type]
    assert caught.value.failure is PkiFailure.SYSTEM_FAILURE


@pytest.mark.parametrize("name", ["tsa-1", "issuing"])
def test_a_revoked_authority_or_one_under_a_revoked_one_stamps_no_more(office: Office, name: str) -> None:
    services = office.house.services
    authority = next(one for one in services.authorities.list(SYSTEM_ACTOR) if one.name == name)
    services.revocation.revoke(
        SYSTEM_ACTOR, authority.certificate_id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    assert refusal(office) is PkiFailure.SYSTEM_FAILURE


def test_a_key_whose_time_is_over_stamps_no_more(office: Office) -> None:
    office.clock.advance(timedelta(days=367))
    assert refusal(office) is PkiFailure.SYSTEM_FAILURE


def test_while_the_key_is_away_nothing_is_kept(office: Office) -> None:
    keys = office.house.program.config.data / "keys" / "signing"
    office.house.program.keys._loaded.clear()
    (keys / "tsa-1.pem").rename(keys / "away")
    with pytest.raises(KeyUnavailable):
        office.stamp()
    (keys / "away").rename(keys / "tsa-1.pem")
    office.stamp()
    assert [row.sequence for row in office.rows()] == [1]


def test_what_a_lint_stops_is_not_signed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamping, "_policy", lambda request, policies: "1.2.3.9")
    with pytest.raises(Exception, match="rfc3161_2_4_2_request"):
        office.stamp(request_for(policy="1.2.3"))
    assert office.rows() == []


def test_a_signature_that_does_not_verify_is_not_handed_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = office.house.program.keys.signer(office.tsa.key_reference, office.tsa.signature_algorithm)
    signature = signer.sign(b"something else")
    keys = office.service()._keys
    broken = replace(signer, sign=lambda _: signature)
    monkeypatch.setattr(keys, "signer", lambda *_: broken)
    with pytest.raises(IntegrityAlarm):
        office.stamp()
    assert office.rows() == []


@pytest.mark.parametrize("who", ["auditor", "support", "administrator"])
def test_who_may_not_have_tokens_is_refused(office: Office, who: str) -> None:
    with pytest.raises(NotPermitted, match=Permission.TIMESTAMP_ISSUE.value):
        office.stamp(actor=getattr(office.house, who))


def test_the_database_refuses_a_time_that_goes_back_and_a_gap(office: Office) -> None:
    office.stamp()
    columns = "tsa, policy, hash_algorithm, imprint_sha256, requested_by, der"
    earlier = "gen_time - 1" if office.house.program.engine.dialect.name == "sqlite" else "gen_time - interval '1 s'"
    for sequence, gen_time in ((2, earlier), (3, "gen_time"), (1, "gen_time")):
        with (
            office.house.program.engine.connect() as connection,
            pytest.raises(Exception, match="timestamp_place"),
        ):
            connection.execute(
                text(
                    f"INSERT INTO timestamps (sequence, serial, gen_time, {columns})"
                    f" SELECT {sequence}, 'aa', {gen_time}, {columns} FROM timestamps"
                )
            )
