"""Entries of revocation lists in bulk: written as others write each of them, taken apart as they were put together."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings, strategies as st

from ca_core.domain.errors import MalformedDer
from ca_core.domain.identifiers import Serial
from ca_core.x509.crl import CertificateList
from ca_core.x509.crl_entries import Revoked, encode_entries, entry_batches, key_of

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example")])
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLAGS = {
    1: x509.ReasonFlags.key_compromise,
    2: x509.ReasonFlags.ca_compromise,
    3: x509.ReasonFlags.affiliation_changed,
    4: x509.ReasonFlags.superseded,
    5: x509.ReasonFlags.cessation_of_operation,
    6: x509.ReasonFlags.certificate_hold,
    8: x509.ReasonFlags.remove_from_crl,
    9: x509.ReasonFlags.privilege_withdrawn,
    10: x509.ReasonFlags.aa_compromise,
}
SERIALS = st.integers(1, (1 << 159) - 1) | st.integers(1, 300) | st.sampled_from([0x7F, 0x80, 0xFF, 1 << 151])
SECONDS = st.integers(-631_152_000, 5_000_000_000)  # 1950, where UTCTime begins, to beyond 2050, where it ends
ENTRIES = st.tuples(
    SERIALS.map(lambda serial: Serial(serial).hex), SECONDS, st.sampled_from([None, 0, *FLAGS]), st.none() | SECONDS
)


def moment(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def by_cryptography(*revoked: Revoked) -> bytes:
    """The entries that its builder writes."""
    builder = x509.CertificateRevocationListBuilder(NAME, moment(5_000_000_000), moment(5_000_000_001))
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    for serial, at, reason, invalidity in revoked:
        entry = x509.RevokedCertificateBuilder(int(serial, 16), moment(at))
        if reason:
            entry = entry.add_extension(x509.CRLReason(FLAGS[reason]), critical=False)
        if invalidity is not None:
            entry = entry.add_extension(x509.InvalidityDate(moment(invalidity)), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return bytes(CertificateList.parse(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)).revoked)


@given(st.lists(ENTRIES, min_size=1, max_size=10))
@settings(deadline=None)
def test_entries_are_written_as_cryptography_writes_them(revoked: list[Revoked]) -> None:
    assert encode_entries(revoked) == by_cryptography(*revoked)


@given(st.lists(ENTRIES, max_size=50))
@settings(deadline=None)
def test_a_run_is_taken_apart_into_its_entries(revoked: list[Revoked]) -> None:
    each = [encode_entries([one]) for one in revoked]
    assert [one for batch in entry_batches(b"".join(each)) for one in batch] == each
    assert [key_of(one) for one in each] == [bytes.fromhex(serial) for serial, *_ in revoked]


def test_a_run_of_many_is_taken_apart_in_pieces() -> None:
    chance = random.Random(1)
    each = [
        encode_entries([(f"{chance.randrange(1 << 140, 1 << 142):036x}", 0, chance.choice([0, 1]), None)])
        for _ in range(20_000)
    ]
    batches = list(entry_batches(b"".join(each)))
    assert len(batches) > 10
    assert [one for batch in batches for one in batch] == each
    assert [one for batch in entry_batches(memoryview(b"".join(each)), len(each[0])) for one in batch] == each[1:]


@given(st.lists(ENTRIES, min_size=1, max_size=5), st.data())
@settings(deadline=None, max_examples=300)
def test_what_is_changed_by_an_octet_is_another_entry_or_none(revoked: list[Revoked], data: st.DataObject) -> None:
    """Whatever is taken for entries are exactly those octets, and every other reader reads them."""
    encoded = bytearray(encode_entries(revoked))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = [one for batch in entry_batches(bytes(encoded)) for one in batch]
    except MalformedDer:
        return
    assert b"".join(found) == encoded
    assert len(found) == len(revoked)


SOUND = encode_entries([("0123", 1_800_000_000, 1, 1_700_000_000)])
ENTRY = encode_entries([("0123", 1_800_000_000, None, None)])
BROKEN = {
    "cut": SOUND[:-1],
    "something behind": SOUND + b"\0",
    "something before": b"\0" + SOUND,
    "another tag": b"\x31" + SOUND[1:],
    "longer than it says": SOUND[:1] + bytes((SOUND[1] - 1,)) + SOUND[2:],
    "shorter than it says": SOUND[:1] + bytes((SOUND[1] + 1,)) + SOUND[2:],
    "a negative serial": ENTRY.replace(b"\x02\x02\x01", b"\x02\x02\x81"),
    "a serial of zero": encode_entries([("00", 0, None, None)]),
    "a serial with an octet too many": ENTRY.replace(b"\x02\x02\x01", b"\x02\x02\x00"),
    "a month that there is not": ENTRY.replace(b"270115", b"271315"),
    "a day that there is not": ENTRY.replace(b"270115", b"270229"),
    "an hour that there is not": ENTRY.replace(b"080000Z", b"240000Z"),
    "a time without zone": ENTRY.replace(b"080000Z", b"0800000"),
    "reason 7": SOUND.replace(b"\x0a\x01\x01", b"\x0a\x01\x07"),
    "reason 0, which is left out": SOUND.replace(b"\x0a\x01\x01", b"\x0a\x01\x00"),
    "an unknown extension": SOUND.replace(b"U\x1d\x18", b"U\x1d\x19"),
}


@pytest.mark.parametrize("encoded", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_entry_of_ours_is_refused(encoded: bytes) -> None:
    assert list(entry_batches(SOUND)) == [[SOUND]]
    assert encoded not in (SOUND, ENTRY)
    with pytest.raises(MalformedDer):
        list(entry_batches(encoded))
