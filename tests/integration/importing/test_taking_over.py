"""An authority is taken over with certificate, key and last list; or it stands above others without a key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.authority import AuthorityState
from ca_core.domain.certificate import RevocationReason as R
from ca_core.domain.errors import (
    BadSignature,
    Duplicate,
    IntegrityAlarm,
    InvalidInput,
    MalformedDer,
    NotFound,
    NotPermitted,
    WrongState,
)
from ca_core.x509.bundle import pieces
from ca_core.x509.certificate import SignedCertificate

FLAGS = x509.ReasonFlags


@pytest.fixture
def office(house: Any) -> Any:
    return house.services.authority_import


def test_only_whoever_owns_the_machine_takes_over_an_authority(house: Any, office: Any, former_root: Any) -> None:
    for actor in (house.officer, house.administrator, house.operator):
        with pytest.raises(NotPermitted):
            office.take_in(actor, "x", former_root.pem)


def test_what_is_no_authority_of_a_known_issuer_is_refused(office: Any, former: Any, former_root: Any) -> None:
    def take_in(certificate: bytes, **options: Any) -> None:
        office.take_in(SYSTEM_ACTOR, "x", certificate, **options)

    with pytest.raises(NotFound, match="take over that one's certificate first"):
        take_in(former.pem)
    with pytest.raises(InvalidInput, match="not that of an authority"):
        take_in(former_root.bundle(former_root.issue()))
    with pytest.raises(MalformedDer):
        take_in(b"nothing")
    forged = bytearray(former_root.ders(former_root.certificate))
    forged[-1] ^= 1
    with pytest.raises(BadSignature):
        take_in(bytes(forged))
    with pytest.raises(InvalidInput, match="not the one that the certificate is over"):
        take_in(former_root.pem, private_key=former.key_pem())
    with pytest.raises(InvalidInput, match="passphrase"):
        take_in(former_root.pem, private_key=former_root.key_pem(b"secret"), passphrase=b"other")
    with pytest.raises(InvalidInput, match="name the key"):
        take_in(former_root.pem, last_list=former_root.crl())
    with pytest.raises(InvalidInput, match="no number"):
        take_in(former_root.pem, private_key=former_root.key_pem(), last_list=former_root.crl(number=1 << 70))


def test_nothing_is_taken_over_twice_and_an_interrupted_call_goes_on(house: Any, office: Any, former_root: Any) -> None:
    keys = house.program.keys
    with pytest.raises(InvalidInput, match="is not the one"):
        office.take_in(SYSTEM_ACTOR, "mine", former_root.pem, key_reference="root")
    spki = SignedCertificate.parse(former_root.pem).public_key_info
    keys.take_in("mine", former_root.key_pem(b"secret"), b"secret", public_key_info=spki)
    taken = office.take_in(
        SYSTEM_ACTOR, "mine", former_root.pem, private_key=former_root.key_pem(b"secret"), passphrase=b"secret"
    )
    assert (taken.key_reference, taken.state) == ("mine", AuthorityState.ACTIVE)
    with pytest.raises(Duplicate):
        office.take_in(SYSTEM_ACTOR, "mine", former_root.pem)
    with pytest.raises(Duplicate):
        office.take_in(SYSTEM_ACTOR, "again", former_root.pem)


def test_without_its_key_it_signs_nothing_and_owes_nothing(house: Any, taken_over: Any) -> None:
    assert {one.name for one in house.program.crls.overview()} == {"root", "issuing", "former"}
    house.program.crls.tick()
    with pytest.raises(NotFound, match="its key is elsewhere"):
        house.program.crls.issue(SYSTEM_ACTOR, "former-root", partition=0)
    (root,) = [one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.name == "former-root"]
    with pytest.raises(WrongState, match="whoever has it"):
        house.services.revocation.revoke(SYSTEM_ACTOR, root.certificate_id, reason=R.CA_COMPROMISE, because="x")
    assert house.services.audit.verify(house.auditor).faults == ()


def test_an_authority_under_one_whose_key_is_elsewhere_can_be_revoked(house: Any, taken_over: Any) -> None:
    house.services.revocation.revoke(SYSTEM_ACTOR, taken_over.certificate_id, reason=R.CA_COMPROMISE, because="stolen")
    (now,) = [one for one in house.services.authorities.list(SYSTEM_ACTOR) if one.id == taken_over.id]
    assert now.state is AuthorityState.REVOKED


def test_invariant_8_the_first_list_goes_on_from_the_last_of_before_and_loses_nothing(
    house: Any, office: Any, former: Any, former_root: Any, clock: Any
) -> None:
    gone = former.issue("gone")
    crl = former.crl([(gone, FLAGS.superseded)], number=500)
    office.take_in(SYSTEM_ACTOR, "former-root", former_root.pem)
    office.take_in(SYSTEM_ACTOR, "former", former.pem, private_key=former.key_pem(), last_list=crl)
    assert house.program.crls.published(SYSTEM_ACTOR, "former", 0).der == crl
    with pytest.raises(IntegrityAlarm, match="was in the list former"):
        house.program.crls.issue(SYSTEM_ACTOR, "former")
    service = house.services.certificate_import
    status = service.former_status(house.officer, "former", lists=[crl])
    service.take_in(house.officer, "former", pieces("file", former.ders(gone)), status, refuse=print)
    clock.advance(timedelta(minutes=1))
    (first,) = house.program.crls.issue(SYSTEM_ACTOR, "former")
    assert (first.number, first.entries) == (502, 1), "501 was taken for the list that was refused"
    assert house.services.audit.verify(house.auditor).faults == ()
