"""A status node's copy of the answers comes to be what the core has, whatever happens on the way."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st

from api.status import ChangesOut, StretchOut
from ca_core.domain.access import SYSTEM_ACTOR, Actor, Permission, Role
from ca_core.domain.errors import NotFound, NotPermitted, WrongState
from ca_core.domain.identifiers import Serial
from ocsp import change_log
from ocsp.answers import HEADER, AnswerStore, Shelf
from ocsp.composing import Signed
from ocsp.feed import Changes, StatusFeed, Stretch
from ocsp.replica import Position, Replica
from pechatnik.node.copies import CopiedLists
from pechatnik.node.follower import Follower
from pechatnik.node.freshness import Freshness

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SHELVES = [Shelf(issuer=UUID(int=number), digest=digest) for number in (1, 2) for digest in ("sha1", "sha256")]
FOLLOWER = Actor(
    id=UUID(int=9),
    name="node",
    roles=frozenset({Role.SECURITY_OFFICER}),
    scopes=frozenset({Permission.STATUS_FOLLOW}),
)


class Killed(Exception):
    """The node, in the middle of what it did."""


@dataclass
class Wire:
    """The feed as it comes over the wire, in small pages; the node is killed after so many of them."""

    feed: StatusFeed
    left: int = 1_000_000
    limit: int = 3

    def changes(self, position: Position | None) -> Changes:
        self._page()
        epoch, after, link = position or (None, 0, b"")
        found = self.feed.changes(FOLLOWER, epoch=epoch, after=after, link=link, limit=self.limit)
        return ChangesOut.model_validate_json(ChangesOut.of(found).model_dump_json()).changes()

    def stretch(self, shelf: str, after: bytes) -> Stretch:
        self._page()
        found = self.feed.stretch(FOLLOWER, shelf=shelf, after=after, limit=self.limit)
        return StretchOut.model_validate_json(StretchOut.model_validate(found).model_dump_json()).stretch()

    def _page(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


class Core:
    def __init__(self, folder: Path) -> None:
        self.store = AnswerStore(folder)
        self.feed = StatusFeed(self.store, entropy=secrets.token_bytes)
        for shelf in SHELVES:
            self.store.add_shelf(shelf, shelf.name[::-1])

    def put(self, shelf: Shelf, serials: list[int], word: bytes) -> None:
        signed = Signed(der=word, this_update=NOW, next_update=NOW)
        self.store.put(shelf, [(Serial(one), signed) for one in serials], tail=self.store.tail(b"tail of " + word))


def contents(store: AnswerStore) -> Mapping[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Each answer's bytes with what goes behind them."""
    tails = store.tails()
    found = {}
    for shelf in set(store.shelves().values()):
        handle = store.database(shelf)
        with store.transaction() as tx:
            for key, record in tx.cursor(handle):
                number = HEADER.unpack_from(record)[2]
                found[shelf.name, bytes(key)] = bytes(record[: HEADER.size - 2] + record[HEADER.size :]), tails[number]
    return found


def follower(wire: Wire, replica: Replica) -> Follower:
    return Follower(wire, replica, CopiedLists(replica, clock=lambda: 0.0), uptime=lambda: 7.0)  # type: ignore[arg-type]


shelves = st.sampled_from(SHELVES)
steps = st.one_of(
    st.tuples(
        st.just("put"), shelves, st.lists(st.integers(1, 12), min_size=1, max_size=6), st.sampled_from([b"a", b"b"])
    ),
    st.tuples(st.just("forget"), shelves, st.integers(1, 12)),
    st.tuples(st.just("empty"), st.sampled_from([UUID(int=1), UUID(int=2)])),
    st.tuples(st.just("follow"), st.integers(0, 8)),
    st.tuples(st.just("remake")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=25))
def test_followed_to_the_end_the_copy_is_what_the_core_has(taken: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(change_log, "KEPT", 6)
        made = 0
        core = Core(Path(place, f"core-{made}"))
        replica = Replica(Path(place, "replica"), boot="first")
        for kind, *arguments in taken:
            match kind, arguments:
                case "put", (shelf, serials, word):
                    core.put(shelf, serials, word)
                case "forget", (shelf, serial):
                    core.store.forget([(shelf.issuer, Serial(serial))])
                case "empty", (issuer,):
                    core.store.forget((), [issuer])
                case "remake", ():
                    made += 1
                    core = Core(Path(place, f"core-{made}"))
                case "follow", (pages,):
                    before = replica.heard()
                    try:
                        follower(Wire(core.feed, left=pages), replica).follow()
                    except Killed:
                        assert replica.heard() in (before, None), "heard only when there was no more"
        follower(Wire(core.feed), replica).follow()
        assert contents(replica) == contents(core.store)
        assert replica.heard() == 7.0


def test_a_copy_that_is_begun_is_not_whole_until_what_changed_meanwhile_is_in_it(tmp_path: Path) -> None:
    core, replica = Core(tmp_path / "core"), Replica(tmp_path / "replica", boot="first")
    core.put(SHELVES[0], [1, 2, 3, 4], b"good")
    follower(Wire(core.feed), replica).follow()

    class Revoking(Wire):
        """While the last shelf is copied, an answer that was copied before is forgotten."""

        def stretch(self, shelf: str, after: bytes) -> Stretch:
            found = super().stretch(shelf, after)
            if shelf == SHELVES[-1].name.decode():
                core.store.forget([(SHELVES[0].issuer, Serial(2))])
            return found

    replica.begin(core.feed.changes(FOLLOWER, epoch=None, after=0, link=b"", limit=1))
    assert replica.heard() is None
    follower(Revoking(core.feed), replica).follow()
    assert contents(replica) == contents(core.store)
    assert len(contents(replica)) == 3


def test_a_copy_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    core, replica = Core(tmp_path / "core"), Replica(tmp_path / "replica", boot="first")
    for shelf in SHELVES:
        core.put(shelf, list(range(1, 40)), b"good")
    pages = 0
    while replica.heard() is None:
        pages += 1
        with contextlib.suppress(Killed):
            follower(Wire(core.feed, left=6), replica).follow()
        assert replica.heard() is None or contents(replica) == contents(core.store)
    # Thirteen stretches a shelf, three at least in each attempt; begun anew each time it would never end.
    assert pages <= len(SHELVES) * 13 / 3


def test_what_nobody_follows_is_not_noted(tmp_path: Path) -> None:
    core = Core(tmp_path)
    core.put(SHELVES[0], [1], b"a")
    with core.store.transaction() as tx:
        assert core.store.changes.last(tx) == (0, b"")
    core.feed.changes(FOLLOWER, epoch=None, after=0, link=b"", limit=1)
    core.put(SHELVES[0], [2], b"a")
    with core.store.transaction() as tx:
        assert core.store.changes.last(tx)[0] == 1


@pytest.mark.parametrize(
    ("after", "link"), [(5, b""), (10**9, b"x"), (0, b"x"), (1, b""), (1, b"another link here")], ids=repr
)
def test_a_change_that_was_never_made_is_answered_begin_anew(tmp_path: Path, after: int, link: bytes) -> None:
    core = Core(tmp_path)
    epoch = core.feed.changes(FOLLOWER, epoch=None, after=0, link=b"", limit=1).epoch
    core.put(SHELVES[0], [1], b"a")
    first = core.feed.changes(FOLLOWER, epoch=epoch, after=0, link=b"", limit=1)
    assert not first.anew
    assert not core.feed.changes(FOLLOWER, epoch=epoch, after=1, link=first.link, limit=1).anew
    assert core.feed.changes(FOLLOWER, epoch=epoch, after=after, link=link, limit=1).anew


def test_a_store_that_was_set_back_is_copied_anew(tmp_path: Path) -> None:
    """Its numbers are given again, for other changes."""
    core, replica = Core(tmp_path / "core"), Replica(tmp_path / "replica", boot="first")
    core.put(SHELVES[0], [1, 2], b"good")
    follower(Wire(core.feed), replica).follow()
    core.store.environment.copy(str((tmp_path / "copy").mkdir() or tmp_path / "copy"))
    core.put(SHELVES[0], [3], b"good")
    follower(Wire(core.feed), replica).follow()
    set_back = Core(tmp_path / "copy")
    set_back.store.forget([(SHELVES[0].issuer, Serial(1))])
    set_back.put(SHELVES[0], [4], b"good")
    follower(Wire(set_back.feed), replica).follow()
    assert contents(replica) == contents(set_back.store)


def test_after_another_start_of_the_machine_the_core_has_to_be_heard_again(tmp_path: Path) -> None:
    core = Core(tmp_path / "core")
    follower(Wire(core.feed), Replica(tmp_path / "replica", boot="first")).follow()
    replica = Replica(tmp_path / "replica", boot="second")
    assert replica.heard() is None
    assert replica.position() is not None
    follower(Wire(core.feed), replica).follow()
    assert replica.heard() == 7.0


@pytest.mark.parametrize(
    ("heard", "now", "holds"), [(10, 10, True), (10, 40, True), (10, 40.1, False), (None, 1, False)]
)
def test_what_was_heard_holds_for_the_lag_and_no_longer(
    tmp_path: Path, heard: float | None, now: float, holds: bool
) -> None:
    replica = Replica(tmp_path, boot="first")
    if heard is not None:
        changes = Changes(epoch="e", number=0, link=b"", shelves={}, tails={})
        replica.take(changes, asked_at=heard)
    assert Freshness(replica, lag=timedelta(seconds=30), uptime=lambda: now).holds() is holds


def refused(feed: Callable[[Path], StatusFeed], place: Path, actor: Actor, error: type[Exception], shelf: str) -> None:
    with pytest.raises(error):
        feed(place).stretch(actor, shelf=shelf, after=b"", limit=1)


def test_the_feed_is_refused(tmp_path: Path) -> None:
    def on(place: Path) -> StatusFeed:
        return StatusFeed(AnswerStore(place), entropy=secrets.token_bytes)

    def off(_: Path) -> StatusFeed:
        return StatusFeed(None, entropy=secrets.token_bytes)

    nobody = Actor(id=UUID(int=9), name="x", roles=frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR}))
    refused(on, tmp_path, nobody, NotPermitted, "x")
    refused(on, tmp_path, SYSTEM_ACTOR, NotFound, "x")
    refused(off, tmp_path, SYSTEM_ACTOR, WrongState, "x")
