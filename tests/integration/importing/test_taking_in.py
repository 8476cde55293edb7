"""Certificates of another authority's software are taken in once, each with its status, or named with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ca_core.domain.access import SYSTEM_ACTOR
from ca_core.domain.certificate import CertificateState as S, RevocationReason as R
from ca_core.domain.errors import BadSignature, InvalidInput, NotFound, NotPermitted, WrongState
from ca_core.services import certificate_import

FLAGS = x509.ReasonFlags


def states(house: Any) -> dict[str, tuple[S, R | None]]:
    found = house.services.certificates.list(SYSTEM_ACTOR, text="O=Former", limit=100).items
    return {one.subject.split(",")[0]: (one.state, one.reason) for one in found if "CA" not in one.subject}


def test_each_is_taken_in_with_the_status_of_the_list(house: Any, take_in: Any, former: Any) -> None:
    kept, lost, held = (former.issue(common) for common in ("kept", "lost", "held"))
    crl = former.crl([(lost, FLAGS.superseded), (held, FLAGS.certificate_hold)])
    assert take_in(former.bundle(kept, lost), former.ders(held), crl=crl).counts == (3, 0, 0)
    found = states(house)
    assert found["CN=kept"] == (S.ISSUED, None)
    assert found["CN=lost"] == (S.REVOKED, R.SUPERSEDED)
    assert found["CN=held"] == (S.HELD, R.CERTIFICATE_HOLD)
    (row,) = house.services.certificates.list(house.officer, text="CN=lost").items
    (entry,) = [one for one in x509.load_der_x509_crl(crl) if one.serial_number == lost.serial_number]
    assert (row.not_after, row.revoked_at) == (lost.not_valid_after_utc, entry.revocation_date_utc)
    assert house.services.certificates.get(house.auditor, row.sha256.hex()).der == lost.public_bytes(Encoding.DER)
    assert house.services.audit.verify(house.auditor).faults == ()


def test_the_index_of_openssl_tells_reason_and_time(house: Any, take_in: Any, former: Any) -> None:
    good, gone, stolen = (former.issue(common) for common in ("good", "gone", "stolen"))
    lines = [
        f"V\t361121192816Z\t\t{good.serial_number:X}\tunknown\t/CN=good",
        f"R\t361121192816Z\t250102030405Z\t{gone.serial_number:X}\tunknown\t/CN=gone",
        f"R\t361121192816Z\t20250102030405Z,keyTime,20241231000000Z\t{stolen.serial_number:X}\tunknown\t/CN=stolen",
    ]
    assert take_in(former.bundle(good, gone, stolen), index="\n".join(lines).encode()).counts == (3, 0, 0)
    (row,) = house.services.certificates.list(house.officer, text="CN=stolen").items
    assert (row.state, row.reason) == (S.REVOKED, R.KEY_COMPROMISE)
    assert row.revoked_at.isoformat() == "2025-01-02T03:04:05+00:00"
    assert row.invalidity_date.isoformat() == "2024-12-31T00:00:00+00:00"
    with house.program.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.certificates.is_blocked(row.spki_sha256), "a compromised key is never certified again"
    assert house.services.audit.verify(house.auditor).faults == ()


def test_a_second_run_finds_everything_known(take_in: Any, former: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_import, "STRETCH", 2)
    given = [former.issue(f"no {number}") for number in range(5)]
    assert take_in(former.bundle(*given[:3]), crl=former.crl()).counts == (3, 0, 0)
    assert take_in(former.bundle(*given), former.bundle(given[0]), crl=former.crl()).counts == (2, 4, 0)


def test_a_dry_run_says_the_same_and_changes_nothing(house: Any, take_in: Any, former: Any) -> None:
    given = former.bundle(former.issue("a"), former.issue("b"))
    assert take_in(given, crl=former.crl(), dry_run=True).counts == (2, 0, 0)
    assert not {"CN=a", "CN=b"} & states(house).keys()
    assert take_in(given, crl=former.crl()).counts == (2, 0, 0)


def test_every_one_that_is_refused_is_named_with_file_position_and_reason(take_in: Any, former: Any) -> None:
    other = former.another("Somebody Else")
    stranger = former.another(former.common)
    good, twin = former.issue("good", serial=77), former.issue("twin", serial=77)
    flipped = bytearray(former.ders(former.issue("flipped")))
    flipped[-1] ^= 1
    bundle = [
        b"text between them\n" + former.bundle(other.issue()),
        former.bundle(stranger.issue()),
        former.bundle(stranger.issue(identifier=former.identifier)),
        b"-----BEGIN CERTIFICATE-----\nMIIB\n",
        former.bundle(good),
        former.bundle(twin),
        b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n",
    ]
    outcome = take_in(b"".join(bundle), bytes(flipped) + b"\x30\x05\x01", crl=former.crl([(4711, FLAGS.superseded)]))
    assert outcome.counts == (1, 0, 11)
    starts = [sum(map(len, bundle[:at])) for at in range(len(bundle))]
    assert {(one.source, one.position): one.reason for one in outcome.refused} == {
        ("file-0", starts[0] + len(b"text between them\n")): "it names another issuer",
        ("file-0", starts[1]): "its authority key identifier is that of another key",
        ("file-0", starts[2]): "the signature does not verify",
        ("file-0", starts[3]): "the PEM block does not end",
        ("file-0", starts[5]): "another certificate with this serial number is here already",
        ("file-0", starts[6]): "the PEM block is a PRIVATE KEY and no CERTIFICATE",
        ("file-0", starts[7]): "the structure ends in the middle of a value",
        ("file-0", starts[8]): "the PEM block is not valid base64",
        ("file-1", 0): "the signature does not verify",
        ("file-1", len(flipped)): "the rest of the file cannot be read: a value is longer than what contains it",
        ("status", None): "it is revoked, and its certificate was not given",
    }


def test_what_the_index_does_not_name_is_refused(take_in: Any, former: Any) -> None:
    outcome = take_in(former.bundle(former.issue("x")), index=b"")
    assert [one.reason for one in outcome.refused] == ["the index does not name it"]


def test_signatures_are_not_asked_for_where_the_caller_says_so(take_in: Any, former: Any) -> None:
    impostor = former.another(former.common).issue(identifier=former.identifier)
    assert take_in(former.bundle(impostor), crl=former.crl(), signatures=False).counts == (1, 0, 0)


def test_a_list_of_another_or_a_delta_says_nothing_here(take_in: Any, former: Any) -> None:
    with pytest.raises(BadSignature):
        take_in(b"", crl=former.another(former.common).crl())
    with pytest.raises(BadSignature):
        take_in(b"", crl=former.another("Somebody Else").crl())
    with pytest.raises(InvalidInput, match="line 1"):
        take_in(b"", index=b"nonsense")


def test_only_officers_and_the_machine_take_in(house: Any, take_in: Any, former: Any) -> None:
    for actor in (house.operator, house.reviewer, house.administrator, house.subscriber):
        with pytest.raises(NotPermitted):
            take_in(b"", crl=former.crl(), by=actor)


def test_nothing_is_taken_in_for_whom_nothing_could_be_said_here(house: Any, take_in: Any, former: Any) -> None:
    service = house.services.certificate_import
    status = service.former_status(house.officer, "former", lists=[former.crl()])
    for issuer, error in (("former-root", WrongState), ("nobody", NotFound), ("ocsp-1", InvalidInput)):
        with pytest.raises(error):
            service.take_in(house.officer, issuer, [], status, refuse=print)


def test_imported_certificates_are_seen_by_staff_and_their_owner_alone(house: Any, take_in: Any, former: Any) -> None:
    take_in(former.bundle(former.issue("nobodys")), crl=former.crl())
    key = ec.generate_private_key(ec.SECP256R1())
    take_in(former.bundle(former.issue("annas", key=key)), crl=former.crl(), owner=house.subscriber.id)
    listing = house.services.certificates.list

    def seen(by: Any) -> set[str]:
        return {one.subject.split(",")[0] for one in listing(by).items if one.import_id is not None}

    assert {"CN=nobodys", "CN=annas"} <= seen(house.officer) & seen(house.support)
    assert seen(house.subscriber) == {"CN=annas"}
    assert seen(house.stranger) == seen(house.operator) == set()
