"""The audit chain, tampered with in every way: live with the MAC key, and as an export far from the database."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings, strategies as st

from ca_core.domain.audit import GENESIS, AuditCheckpoint, AuditEvent, AuditRecord, chain, checkpoint_message
from ca_core.domain.errors import InvalidInput
from ca_core.services.audit_chain import AuditChain, AuditReport, digest_of
from ca_core.services.audit_file import checkpoint_line, heading_line, record_line, verify_export

NOW = datetime(2026, 3, 2, 9, 30, 1, 250, tzinfo=UTC)
MAC_KEY = bytes(range(32))
AUDIT_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_KEY = ec.generate_private_key(ec.SECP384R1())


def public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def event(number: int, **changes: object) -> AuditEvent:
    plain = AuditEvent(
        at=NOW + timedelta(seconds=number),
        actor=UUID(int=100 + number),
        actor_name="operator@example.org",
        action="application.approved",
        object_kind="application",
        object_id=str(UUID(int=200 + number)),
        details={"round": number, "digest": "ab" * 32, "nested": {"list": [1, "два", None, True]}},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def records(count: int, *, first: AuditEvent | None = None, key: bytes = MAC_KEY) -> list[AuditRecord]:
    made: list[AuditRecord] = []
    for number in range(1, count + 1):
        previous = made[-1].digest if made else GENESIS
        chosen = first if first is not None and number == 1 else event(number)
        made.append(chain(chosen, sequence=number, previous=previous, key_id="audit.000001.aaaaaaaa", key=key))
    return made


def seal(record: AuditRecord, key: ec.EllipticCurvePrivateKey = AUDIT_KEY) -> AuditCheckpoint:
    message = checkpoint_message(record.sequence, record.digest)
    return AuditCheckpoint(
        sequence=record.sequence,
        digest=record.digest,
        at=NOW + timedelta(hours=1),
        key_reference="audit",
        public_key_info=public(key),
        signature=key.sign(message, ec.ECDSA(hashes.SHA384())),
    )


def mac_fits(record: AuditRecord) -> bool:
    return hmac.compare_digest(hmac.new(MAC_KEY, record.digest, hashlib.sha256).digest(), record.mac)


def verify_live(trail: Sequence[AuditRecord], checkpoints: Sequence[AuditCheckpoint] = ()) -> AuditReport:
    walk = AuditChain(checkpoints, trusted_keys=frozenset({public(AUDIT_KEY)}), check_mac=mac_fits)
    for record in trail:
        walk.feed(record)
    return walk.report()


def export(trail: Sequence[AuditRecord], checkpoints: Sequence[AuditCheckpoint] = ()) -> list[str]:
    end = trail[-1] if trail else None
    return [
        heading_line(sequence=end.sequence if end else 0, digest=end.digest if end else GENESIS),
        *map(checkpoint_line, checkpoints),
        *map(record_line, trail),
    ]


def verify_file(
    trail: Sequence[AuditRecord], checkpoints: Sequence[AuditCheckpoint] = (), *, trusted: Sequence[bytes] = ()
) -> AuditReport:
    return verify_export(export(trail, checkpoints), trusted_public_keys=trusted)


BOTH = pytest.mark.parametrize("verify", [verify_live, verify_file], ids=["live", "file"])
Verify = Callable[..., AuditReport]

CHANGES: dict[str, object] = {
    "sequence": 9,
    "at": NOW + timedelta(days=1),
    "actor": UUID(int=999),
    "actor_name": "somebody@example.org",
    "action": "application.rejected",
    "object_kind": "document",
    "object_id": str(UUID(int=999)),
    "details": {"round": 3, "digest": "ab" * 32, "nested": {"list": [1, "два", None, False]}},
    "previous": bytes(31) + b"\x01",
    "digest": bytes(31) + b"\x01",
    "key_id": "audit.000002.bbbbbbbb",
}


@BOTH
def test_an_untouched_chain_is_whole(verify: Verify) -> None:
    trail = records(6)
    report = verify(trail, [seal(trail[1]), seal(trail[4])])
    assert report == AuditReport(ok=True, records=6, sealed_up_to=5, first_broken=None, reasons=())


@BOTH
def test_an_empty_chain_is_whole(verify: Verify) -> None:
    assert verify([]).ok


@BOTH
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_breaks_the_chain_at_its_record(verify: Verify, name: str) -> None:
    trail = records(5)
    trail[2] = replace(trail[2], **{name: CHANGES[name]})  # type: ignore[arg-type]
    report = verify(trail)
    assert not report.ok
    assert report.first_broken == 3


def test_every_field_but_the_mac_is_tried_above() -> None:
    assert CHANGES.keys() == {field.name for field in dataclasses.fields(AuditRecord)} - {"mac"}


def test_a_changed_mac_shows_where_its_key_is_at_hand() -> None:
    trail = records(5)
    trail[2] = replace(trail[2], mac=bytes(32))
    assert verify_live(trail).first_broken == 3
    assert verify_file(trail).ok


@BOTH
def test_a_changed_record_with_its_digest_made_anew_breaks_the_next(verify: Verify) -> None:
    trail = records(5)
    forged = replace(trail[2], action="application.rejected")
    trail[2] = replace(forged, digest=digest_of(forged))
    report = verify(trail)
    assert not report.ok
    assert report.first_broken == (3 if verify is verify_live else 4)


def test_a_chain_rewritten_without_the_mac_key_shows_at_its_first_record() -> None:
    report = verify_live(records(5, first=event(1, action="nothing.happened"), key=bytes(32)))
    assert report.first_broken == 1


@BOTH
def test_a_chain_rewritten_with_the_mac_key_does_not_fit_its_checkpoint(verify: Verify) -> None:
    honest = records(5)
    rewritten = records(5, first=event(1, action="nothing.happened"))
    report = verify(rewritten, [seal(honest[3])])
    assert not report.ok
    assert report.first_broken == 4
    assert report.sealed_up_to == 0


@BOTH
@pytest.mark.parametrize("gone", [1, 2, 4])
def test_a_removed_record_shows_where_it_was(verify: Verify, gone: int) -> None:
    trail = records(5)
    del trail[gone - 1]
    assert verify(trail).first_broken == gone


@BOTH
def test_two_records_in_each_others_place_show(verify: Verify) -> None:
    trail = records(5)
    trail[1], trail[2] = trail[2], trail[1]
    assert verify(trail).first_broken == 2


@BOTH
def test_a_record_given_twice_shows(verify: Verify) -> None:
    trail = records(5)
    assert verify([*trail[:3], trail[2], *trail[3:]]).first_broken == 4


@BOTH
@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_tail_cut_off_below_a_checkpoint_shows(verify: Verify, left: int) -> None:
    trail = records(5)
    report = verify(trail[:left], [seal(trail[3])])
    assert not report.ok
    assert report.first_broken == left + 1


@BOTH
def test_a_tail_cut_off_above_the_last_checkpoint_is_what_sealed_up_to_warns_of(verify: Verify) -> None:
    trail = records(5)
    report = verify(trail[:4], [seal(trail[2])])
    assert report.ok
    assert (report.records, report.sealed_up_to) == (4, 3)


def test_a_transfer_that_broke_off_shows_by_the_heading() -> None:
    lines = export(records(5))
    report = verify_export(lines[:-2], trusted_public_keys=())
    assert not report.ok
    assert report.first_broken == 4


def test_a_last_record_swapped_for_another_shows_by_the_heading() -> None:
    trail, other = records(3), records(3, first=event(1, action="nothing.happened"))
    lines = export(trail)[:1] + export(other)[1:]
    assert verify_export(lines, trusted_public_keys=()).first_broken == 3


CHECKPOINT_CHANGES: dict[str, object] = {
    "sequence": 2,
    "digest": bytes(32),
    "public_key_info": public(OTHER_KEY),
    "signature": b"\x30\x06\x02\x01\x01\x02\x01\x01",
}


@BOTH
@pytest.mark.parametrize("name", CHECKPOINT_CHANGES)
def test_a_changed_checkpoint_seals_nothing(verify: Verify, name: str) -> None:
    trail = records(5)
    forged = replace(seal(trail[2]), **{name: CHECKPOINT_CHANGES[name]})  # type: ignore[arg-type]
    report = verify(trail, [forged])
    assert not report.ok
    assert report.sealed_up_to == 0


def test_a_checkpoint_by_another_key_counts_only_where_no_key_is_trusted() -> None:
    trail = records(5)
    forged = seal(trail[4], OTHER_KEY)
    assert not verify_live(trail, [forged]).ok
    assert not verify_file(trail, [forged], trusted=[public(AUDIT_KEY)]).ok
    assert verify_file(trail, [forged]).ok


def test_with_a_trusted_key_a_file_whose_checkpoints_were_left_out_does_not_pass() -> None:
    trail = records(5)
    assert not verify_file(trail, trusted=[public(AUDIT_KEY)]).ok
    assert verify_file(trail, [seal(trail[0])], trusted=[public(OTHER_KEY), public(AUDIT_KEY)]).ok


def test_a_change_below_a_trusted_seal_is_reported_where_it_is() -> None:
    trail = records(5)
    seals = [seal(trail[4])]
    trail[2] = replace(trail[2], action="application.rejected")
    report = verify_file(trail, seals, trusted=[public(AUDIT_KEY)])
    assert (report.first_broken, report.sealed_up_to) == (3, 0)


def test_reasons_stay_few_however_much_is_broken() -> None:
    report = verify_live([replace(record, action="x") for record in records(200)])
    assert report.first_broken == 1
    assert len(report.reasons) == 20


def edited(line: str, **changes: Any) -> str:
    return json.dumps({**json.loads(line), **changes})


RECORD = export(records(1))[1]
HEADING = export(records(1))[0]
CHECKPOINT = checkpoint_line(seal(records(1)[0]))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [RECORD],
        ["{}"],
        ["not JSON"],
        [edited(HEADING, format="pechatnik-audit-2"), RECORD],
        [edited(HEADING, sequence="1"), RECORD],
        [edited(HEADING, digest="xy"), RECORD],
        [HEADING, HEADING],
        [HEADING, RECORD, CHECKPOINT],
        [HEADING, edited(RECORD, kind="note")],
        [HEADING, edited(RECORD, extra=1)],
        [HEADING, edited(RECORD, sequence="1")],
        [HEADING, edited(RECORD, actor="nobody")],
        [HEADING, edited(RECORD, at="yesterday")],
        [HEADING, edited(RECORD, mac="0")],
        [HEADING, edited(RECORD, details=[])],
        [HEADING, edited(RECORD, details={"x": float("nan")})],
        [HEADING, RECORD[:-1] + ',"action":"application.approved"}'],
        [HEADING, json.dumps({"kind": "record"})],
        [HEADING, "[" * 100_000],
        [HEADING, "null"],
        [HEADING, edited(CHECKPOINT, sequence=-1), RECORD],
        [HEADING, edited(CHECKPOINT, sequence=1 << 64), RECORD],
    ],
)
def test_what_is_not_an_export_is_refused(lines: list[str]) -> None:
    with pytest.raises(InvalidInput):
        verify_export(lines, trusted_public_keys=())


@settings(deadline=None)
@given(st.lists(st.sampled_from([HEADING, RECORD, CHECKPOINT, RECORD[:50]]) | st.text(max_size=40), max_size=5))
def test_any_lines_give_a_report_or_a_refusal(lines: list[str]) -> None:
    with suppress(InvalidInput):
        verify_export([HEADING, *lines], trusted_public_keys=())


@settings(deadline=None, max_examples=50)
@given(st.integers(0, len(RECORD) - 1), st.characters(codec="ascii"))
def test_no_character_of_a_record_can_be_changed_unseen(at: int, character: str) -> None:
    changed = RECORD[:at] + character + RECORD[at + 1 :]
    if changed == RECORD:
        return
    try:
        report = verify_export([HEADING, changed], trusted_public_keys=())
    except InvalidInput:
        return
    assert not report.ok or _reads_the_same(changed)


def _reads_the_same(changed: str) -> bool:
    """Another spelling of the same moment, account or octets."""
    fields, original = json.loads(changed), json.loads(RECORD)
    return (
        datetime.fromisoformat(fields["at"]) == datetime.fromisoformat(original["at"])
        and UUID(fields["actor"]) == UUID(original["actor"])
        and all(fields[name] == original[name] for name in ("action", "actor_name", "details", "object_id", "sequence"))
    )
