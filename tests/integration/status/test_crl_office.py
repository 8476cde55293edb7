"""Numbers, publishing, freshness, permissions: the office of revocation lists."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography import x509

from ca_core.domain.access import SYSTEM_ACTOR, Actor, Role
from ca_core.domain.authority import PublishedCrl
from ca_core.domain.errors import (
    CaError,
    IntegrityAlarm,
    InvalidInput,
    KeyUnavailable,
    NotFound,
    NotPermitted,
)
from ca_core.domain.work import Job, JobState
from ca_core.services.jobs import EventDispatch, Worker
from ca_core.services.known_at import AHEAD, known_at
from ca_core.services.reconciliation import abandon
from ca_core.x509.crl_entries import encode_entries
from crl.draft import Draft
from crl.scope import ListScope

OFFICER = Actor(id=UUID(int=7), name="officer", roles=frozenset({Role.SECURITY_OFFICER}))
SUBSCRIBER = Actor(id=UUID(int=8), name="subscriber", roles=frozenset({Role.SUBSCRIBER}))
NAMES = ["root", "issuing", "issuing/1", "issuing/2", "issuing/3", "issuing/4"]


@dataclass(frozen=True)
class KeysWith:
    """The keys of a world, where every signature goes through ``sign``."""

    keys: Any
    sign: Callable[[Any, bytes], bytes]

    def signer(self, reference: str, algorithm: Any) -> Any:
        real = self.keys.signer(reference, algorithm)
        return replace(real, sign=lambda data: self.sign(real, data))


def removed(signer: Any, data: bytes) -> bytes:
    raise KeyUnavailable("the token was pulled")


def lying(signer: Any, data: bytes) -> bytes:
    return signer.sign(data + b"!")  # type: ignore[no-any-return]


def serials(crl: PublishedCrl) -> set[int]:
    return {entry.serial_number for entry in x509.load_der_x509_crl(crl.der)}


def changed(world: Any, certificate: Any) -> Job:
    return Job(
        id=uuid4(),
        kind="crl",
        arguments={"authority": str(certificate.issuer), "partition": certificate.partition},
        run_at=world.clock(),
        created_at=world.clock(),
    )


def test_issue_makes_every_list_of_an_authority_or_the_one_named(world: Any) -> None:
    assert [crl.partition for crl in world.crls.issue(OFFICER, "issuing")] == [0, 1, 2, 3, 4]
    assert [crl.partition for crl in world.crls.issue(OFFICER, "issuing", partition=3)] == [3]


@pytest.mark.parametrize(
    ("actor", "name", "partition", "error"),
    [
        (SUBSCRIBER, "issuing", None, NotPermitted),
        (OFFICER, "nobody", None, NotFound),
        (OFFICER, "issuing", 5, NotFound),
        (OFFICER, "issuing", -1, NotFound),
        (OFFICER, "root", 1, NotFound),
        (OFFICER, "ocsp-1", None, InvalidInput),
    ],
    ids=["no right", "unknown authority", "no such partition", "negative partition", "unpartitioned", "a responder"],
)
def test_issue_refuses(world: Any, actor: Actor, name: str, partition: int | None, error: type[CaError]) -> None:
    with pytest.raises(error):
        world.crls.issue(actor, name, partition=partition)


def test_published_is_the_last_one_and_needs_a_right(world: Any) -> None:
    (crl,) = world.crls.issue(OFFICER, "issuing", partition=2)
    assert world.crls.published(OFFICER, "issuing", 2) == crl
    with pytest.raises(NotPermitted):
        world.crls.published(SUBSCRIBER, "issuing", 2)
    with pytest.raises(NotFound):
        world.crls.published(OFFICER, "issuing", 9)


def test_every_issue_is_on_record_with_number_and_digest(world: Any) -> None:
    (crl,) = world.crls.issue(OFFICER, "issuing", partition=1)
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        record = tx.audit.records(object_id=str(world.issuing.id))[-1]
    assert record.action == "crl.issued"
    assert record.actor == OFFICER.id
    assert record.details["number"] == crl.number
    assert record.details["sha256"] == crl.sha256.hex()


def test_invariant_8_numbers_strictly_increase(world: Any) -> None:
    numbers = [world.crls.issue(OFFICER, "issuing", partition=0)[0].number for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_invariant_8_concurrent_builders_never_publish_an_older_view(world: Any) -> None:
    """Each thread revokes and then builds, so its own list, and whatever replaced it, must have its revocation."""
    rows = [world.certificate(partition=4) for _ in range(16)]

    def revoke_and_build(row: Any) -> tuple[int, PublishedCrl]:
        world.revoke(row)
        (crl,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=4)
        return row.serial.value, crl

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(revoke_and_build, rows))
    for serial, crl in built:
        assert serial in serials(crl)
    by_number = {crl.number: crl for _, crl in built}
    ordered = [by_number[number] for number in sorted(by_number)]
    for earlier, later in pairwise(ordered):
        assert serials(earlier) <= serials(later), "a list with a higher number knows of every earlier revocation"
    current = world.crls.published(OFFICER, "issuing", 4)
    assert current.number == max(by_number)
    assert {row.serial.value for row in rows} <= serials(current)


def test_invariant_8_a_slow_builder_does_not_replace_a_newer_list(world: Any) -> None:
    """While the slow one signs, another builder revokes, builds and publishes."""
    row = world.certificate(partition=1)
    newer: list[PublishedCrl] = []

    def slowly(signer: Any, data: bytes) -> bytes:
        world.revoke(row)
        newer.extend(world.crls.issue(SYSTEM_ACTOR, "issuing", partition=1))
        return signer.sign(data)  # type: ignore[no-any-return]

    (given,) = world.office(keys=KeysWith(world.keys, slowly)).issue(SYSTEM_ACTOR, "issuing", partition=1)
    assert given == newer[0]
    assert world.crls.published(OFFICER, "issuing", 1) == newer[0]
    assert row.serial.value in serials(given)


def test_invariant_8_a_signature_that_does_not_verify_is_not_published(world: Any) -> None:
    before = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)[0]
    with pytest.raises(IntegrityAlarm):
        world.office(keys=KeysWith(world.keys, lying)).issue(SYSTEM_ACTOR, "issuing", partition=0)
    assert world.crls.published(OFFICER, "issuing", 0) == before
    with world.transactions.read(SYSTEM_ACTOR) as tx:
        assert tx.audit.records(object_id=str(world.issuing.id))[-1].action == "alarm.integrity"


@pytest.mark.parametrize(
    "other",
    [
        {"number": 8},
        {"distribution_point": None},
        {"distribution_point": "http://status.example/crl/other/1.crl"},
        {"this_update": datetime(2026, 1, 2, tzinfo=UTC)},
        {"next_update": datetime(2026, 2, 2, tzinfo=UTC)},
        {"entries": ()},
        {"base": 3},
        {"freshest": "http://status.example/crl/0/1-delta.crl"},
        {"scope": "root"},
    ],
    ids=["number", "no scope", "scope", "thisUpdate", "nextUpdate", "entries", "base", "place of deltas", "issuer"],
)
def test_invariant_8_a_list_that_says_something_else_is_not_published(world: Any, other: dict[str, Any]) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    draft = Draft(
        scope=ListScope(issuer=world.issuing, partition=1),
        number=7,
        follows=0,
        this_update=moment,
        next_update=moment + timedelta(days=7),
        entries=(encode_entries([("05", int(moment.timestamp()), 1, None)]),),
        count=1,
        distribution_point="http://status.example/crl/0/1.crl",
    )
    signed = draft.sign(world.keys.signer("issuing", world.issuing.signature_algorithm))
    draft.verify(signed)
    if other == {"scope": "root"}:
        other = {"scope": ListScope(issuer=world.root, partition=1)}
    with pytest.raises(IntegrityAlarm):
        replace(draft, **other).verify(signed)


def test_invariant_8_a_list_that_was_damaged_is_not_published(world: Any) -> None:
    before = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)[0]
    draft = Draft(
        scope=ListScope(issuer=world.issuing, partition=0),
        number=before.number + 100,
        follows=before.number,
        this_update=before.this_update,
        next_update=before.next_update,
        entries=(),
        count=0,
        distribution_point=None,
    )
    signed = draft.sign(world.keys.signer("issuing", world.issuing.signature_algorithm))
    other = replace(draft, number=before.number + 101)
    with pytest.raises(NotPermitted):
        world.crls.publish(SUBSCRIBER, draft, signed)
    for of, damaged in (
        (draft, signed[:-1]),
        (draft, signed + b"\0"),
        (draft, signed[:-1] + bytes([signed[-1] ^ 1])),
        (draft, b""),
        (other, signed),
    ):
        with pytest.raises(IntegrityAlarm):
            world.crls.publish(SYSTEM_ACTOR, of, damaged)
    assert world.crls.published(OFFICER, "issuing", 0) == before


def test_another_authoritys_key_signs_no_list(world: Any) -> None:
    class Mixed:
        def signer(self, reference: str, algorithm: Any) -> Any:
            return world.keys.signer("root", algorithm)

    with pytest.raises(IntegrityAlarm):
        world.office(keys=Mixed()).issue(SYSTEM_ACTOR, "issuing", partition=0)


def test_a_key_that_is_away_leaves_the_published_list_and_a_gap(world: Any) -> None:
    before = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)[0]
    with pytest.raises(KeyUnavailable):
        world.office(keys=KeysWith(world.keys, removed)).issue(SYSTEM_ACTOR, "issuing", partition=0)
    assert world.crls.published(OFFICER, "issuing", 0) == before
    assert world.crls.issue(SYSTEM_ACTOR, "issuing", partition=0)[0].number > before.number


def test_overview_names_every_list_there_has_to_be(world: Any) -> None:
    world.crls.tick()
    overview = world.crls.overview()
    assert [one.name for one in overview] == NAMES
    assert all(one.published is not None for one in overview)


def test_an_issuer_that_ended_owes_no_lists(world: Any) -> None:
    world.clock.ahead = world.issuing.not_after - world.clock() + timedelta(minutes=1)
    assert [one.name for one in world.crls.overview()] == ["root"]
    assert world.crls.tick() == 1


def test_tick_builds_what_is_missing_or_old_and_nothing_else(world: Any) -> None:
    world.crls.tick()
    assert world.crls.tick() == 0
    world.clock.ahead = timedelta(hours=23)
    assert world.crls.tick() == 0
    world.clock.ahead = timedelta(hours=25)
    before = {one.name: one.published.number for one in world.crls.overview()}
    assert world.crls.tick() == len(NAMES)
    assert all(one.published.number > before[one.name] for one in world.crls.overview())
    assert world.crls.tick() == 0


def test_tick_never_lets_a_list_pass_half_its_lifetime(world: Any) -> None:
    office = world.office(lifetime=timedelta(hours=10), rebuild_after=timedelta(days=30))
    for partition in range(5):
        office.issue(SYSTEM_ACTOR, "issuing", partition=partition)
    office.issue(SYSTEM_ACTOR, "root")
    world.clock.ahead = timedelta(hours=4)
    assert office.tick() == 0
    world.clock.ahead = timedelta(hours=5, minutes=1)
    assert office.tick() == len(NAMES)


def test_tick_replaces_lists_from_the_future_after_the_clock_was_set_back(world: Any) -> None:
    world.clock.ahead = timedelta(days=40)
    for name in ("root", "issuing"):
        world.crls.issue(SYSTEM_ACTOR, name)
    world.clock.ahead = timedelta(0)
    assert world.crls.tick() == len(NAMES)
    assert all(one.published.this_update <= world.clock() for one in world.crls.overview())


def test_one_list_that_fails_does_not_stop_the_others(world: Any) -> None:
    root = replace(world.keys.signer("root", world.root.signature_algorithm)).public_key_info

    def without_root(signer: Any, data: bytes) -> bytes:
        return removed(signer, data) if signer.public_key_info == root else signer.sign(data)

    world.clock.ahead = timedelta(0)
    world.crls.tick()
    world.clock.ahead = timedelta(hours=50)
    with pytest.raises(KeyUnavailable):
        world.office(keys=KeysWith(world.keys, without_root)).tick()
    fresh = {
        one.name for one in world.crls.overview() if one.published.this_update > world.clock() - timedelta(hours=1)
    }
    assert fresh == set(NAMES) - {"root"}


def test_two_ticks_at_once_do_no_harm(world: Any) -> None:
    world.clock.ahead = timedelta(hours=100)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.crls.tick(), range(4)))
    assert world.crls.tick() == 0


def test_a_change_refreshes_the_partition_and_the_complete_list(world: Any) -> None:
    world.crls.tick()
    row = world.revoke(world.certificate(partition=2))
    world.crls.refresh(changed(world, row))
    world.crls.refresh(changed(world, row))  # a job may be delivered twice
    for partition, stands in ((0, True), (2, True), (3, False)):
        crl = world.crls.published(OFFICER, "issuing", partition)
        assert (row.serial.value in serials(crl)) is stands


def test_a_revocation_reaches_its_lists_through_the_worker_within_a_minute_and_a_half(world: Any) -> None:
    handlers = {"crl": world.crls.refresh, "event": EventDispatch(world.transactions, {})}
    worker = Worker(world.transactions, handlers, clock=world.clock)
    world.crls.tick()
    worker.run_once()
    rows = [world.revoke(world.certificate(partition=2)), world.hold(world.certificate(partition=2))]
    world.clock.ahead = timedelta(seconds=90)
    before = world.crls.published(OFFICER, "issuing", 2).number
    worker.run_once()
    for partition in (0, 2):
        assert {row.serial.value for row in rows} <= serials(world.crls.published(OFFICER, "issuing", partition))
    assert world.crls.published(OFFICER, "issuing", 2).number <= before + 2, "changes at one time share a list"


def test_a_slow_transaction_commits_before_its_list_is_built(world: Any) -> None:
    """A list that another change queued at the same time must not be built before every such change has committed."""
    intent = world.intent(partition=3)
    with world.transactions.begin(SYSTEM_ACTOR) as tx:
        abandon(tx, intent)
        queued = [job for job in tx.jobs.find(states=(JobState.NEW,)).items if job.kind == "crl"]
        assert queued
        assert all(job.run_at - tx.now > timedelta(seconds=30) for job in queued if job.created_at == tx.now)


def test_lists_made_while_the_clock_was_ahead_do_not_stop_later_ones(world: Any) -> None:
    """A revocation from the future is listed with the list's own moment."""
    world.clock.ahead = timedelta(days=2)
    row = world.revoke(world.certificate(partition=3))
    world.clock.ahead = timedelta(0)
    (crl,) = world.crls.issue(SYSTEM_ACTOR, "issuing", partition=3)
    entry = x509.load_der_x509_crl(crl.der).get_revoked_certificate_by_serial_number(row.serial.value)
    assert entry is not None
    assert entry.revocation_date_utc <= crl.this_update <= world.clock()


@pytest.mark.parametrize(
    ("seen", "moved"),
    [
        ([], timedelta(0)),
        ([timedelta(minutes=-5)], timedelta(0)),
        ([timedelta(seconds=3)], timedelta(seconds=3)),
        ([AHEAD], AHEAD),
        ([timedelta(days=1)], timedelta(0)),
    ],
    ids=["nothing revoked", "revoked before", "committed while waiting", "at the limit", "clock set back"],
)
def test_known_at(world: Any, seen: list[timedelta], moved: timedelta) -> None:
    now = world.clock().replace(microsecond=0)
    assert known_at(now + timedelta(microseconds=7), (now + one for one in seen)) == now + moved
