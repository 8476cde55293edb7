"""Time-stamping authorities: made under an issuing authority, renewed with overlap, retired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.algorithms import KeyAlgorithm
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import RevocationReason
from ca_core.domain.errors import Duplicate, InvalidInput, NotFound, NotPermitted, WrongState
from ca_core.x509.certificate import SignedCertificate
from ca_core.x509.extension_values import EXTENDED_KEY_USAGE, key_period_of
from ca_core.x509.name import render_name
from tests.integration.timestamps.conftest import Office, info_of, request_for


def named(office: Office) -> dict[str, Any]:
    return {one.name: one for one in office.house.services.authorities.list(SYSTEM_ACTOR)}


def test_its_certificate_is_for_time_stamping_alone_and_its_key_rests_long_before_it_ends(office: Office) -> None:
    certificate = SignedCertificate.parse(office.tsa.certificate)
    purposes = certificate.extension(EXTENDED_KEY_USAGE)
    assert purposes is not None
    assert purposes.critical
    assert certificate.extended_key_usage == ("1.3.6.1.5.5.7.3.8",)
    begin, end = key_period_of(certificate)
    assert (end - begin, certificate.not_after - certificate.not_before) == (timedelta(days=366), timedelta(days=1826))


@pytest.mark.parametrize(
    ("profile", "subject"),
    [("eu-eidas/tsa", {"organizationIdentifier": "VATBE-0123456789"}), ("ru-63fz/tsa", {"OGRN": "1027700132195"})],
)
def test_each_pack_has_a_profile_and_a_policy(
    house: Any, clock: Any, make_tsa: Callable[..., Any], profile: str, subject: dict[str, str]
) -> None:
    tsa = make_tsa(profile=profile, subject=subject)
    assert next(iter(subject.values())) in render_name(SignedCertificate.parse(tsa.certificate).subject)
    policies = house.services.profiles.pack(profile.partition("/")[0]).timestamp_policies
    assert info_of(Office(house, clock, tsa).stamp()).policy == policies[0]


def test_a_second_one_is_made_only_when_the_first_signs_no_more(office: Office, make_tsa: Callable[..., Any]) -> None:
    with pytest.raises(Duplicate, match="tsa-1"):
        make_tsa()
    office.house.services.revocation.revoke(
        SYSTEM_ACTOR, office.tsa.certificate_id, reason=RevocationReason.SUPERSEDED, because="a test"
    )
    assert make_tsa().name == "tsa-2"
    assert office.rows() == []
    office.stamp()
    assert office.rows()[0].tsa == named(office)["tsa-2"].id


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"issuer_name": "root"}, WrongState),
        ({"issuer_name": "ocsp-1"}, WrongState),
        ({"issuer_name": "nobody"}, NotFound),
        ({"profile": "private/tls-client"}, InvalidInput),
        ({"profile": "private/ocsp-responder"}, InvalidInput),
        ({"profile": "private/none"}, NotFound),
    ],
)
def test_it_is_made_of_the_right_parts_only(house: Any, changed: dict[str, Any], error: type[Exception]) -> None:
    asked = {"issuer_name": "issuing", "algorithm": KeyAlgorithm.EC_P256, **changed}
    with pytest.raises(error):
        house.services.time_stamping_units.make(SYSTEM_ACTOR, **asked)


def test_authorities_are_made_by_the_owner_of_the_machine_alone(house: Any) -> None:
    units = house.services.time_stamping_units
    with pytest.raises(NotPermitted):
        units.make(house.officer, "issuing", algorithm=KeyAlgorithm.EC_P256)
    with pytest.raises(NotPermitted):
        units.renew(house.operator)
    assert units.renew(house.officer) == 0


def test_looking_makes_nothing(house: Any) -> None:
    units = house.services.time_stamping_units
    assert units.make(SYSTEM_ACTOR, "issuing", algorithm=KeyAlgorithm.EC_P256, pretend=True) is None
    assert "tsa-1" not in house.program.keys.references()


def test_it_is_renewed_after_two_thirds_of_its_key_s_time_and_the_old_one_ends_with_it(office: Office) -> None:
    units = office.house.services.time_stamping_units
    before = office.stamp()
    office.clock.advance(timedelta(days=240))
    assert units.renew(SYSTEM_ACTOR) == 0
    office.clock.advance(timedelta(days=5))
    assert units.renew(SYSTEM_ACTOR) == 1
    assert units.renew(SYSTEM_ACTOR) == 0
    new = named(office)["tsa-2"]
    assert new.signature_algorithm is office.tsa.signature_algorithm
    assert "CN=Test TSA 2" in render_name(SignedCertificate.parse(new.certificate).subject)
    after = office.service(accuracy=timedelta(days=300)).stamp(SYSTEM_ACTOR, request_for())
    assert [row.tsa for row in office.rows()] == [office.tsa.id, new.id]
    office.clock.advance(timedelta(days=122))
    assert units.renew(SYSTEM_ACTOR) == 0
    assert named(office)["tsa-1"].state is AuthorityState.RETIRED
    archive = office.house.services.timestamp_archive
    assert all(archive.verify(token, b"a document").valid for token in (before, after))
    assert office.faults() == ()
