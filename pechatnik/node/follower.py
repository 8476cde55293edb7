"""Keeps a status node's copy like the core: answers every second, lists a little later."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from ca_core.domain.errors import CaError
from ocsp.feed import Changes
from ocsp.replica import Replica
from pechatnik.node.copies import CopiedLists
from pechatnik.node.core import Core

PAUSE = 1.0
"""Seconds between two questions for changes."""
LISTS_EVERY = 10
"""Questions for changes to one for lists."""

log = structlog.get_logger("node")


class Follower:
    """Asks, and asks again after whatever went wrong; :attr:`Replica.heard` says how old the copy is meanwhile."""

    def __init__(self, core: Core, replica: Replica, lists: CopiedLists, *, clock: Callable[[], float]) -> None:
        """``clock`` tells seconds since 1970."""
        self._core = core
        self._replica = replica
        self._lists = lists
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop."""
        asked, troubled = 0, ""
        while True:
            try:
                self.follow()
                if asked % LISTS_EVERY == 0:
                    self.follow_lists()
                asked += 1
                if troubled:
                    log.info("the core is heard again")
                troubled = ""
            except CaError as trouble:
                if trouble.detail != troubled:  # once, not every second
                    log.warning("cannot follow the core", detail=trouble.detail)
                troubled = trouble.detail
            except Exception:  # whatever is wrong with one page, the next may be right
                log.exception("following the core failed")
            if stop.wait(PAUSE):
                return

    def follow(self) -> None:
        """Take in everything that has changed by now. TryAgain when the core cannot be followed now."""
        more = True
        while more:
            asked_at = self._clock()
            changes = self._core.changes(self._replica.position())
            if changes.anew:
                self._copy(changes)
            else:
                self._replica.take(changes, asked_at=asked_at)
            more = changes.more or changes.anew

    def follow_lists(self) -> None:
        """Fetch the lists that are others now, and give up those that are not published any more."""
        published = self._core.published()
        for one in (one for issuer in published.issuers for one in issuer.lists):
            if not self._lists.has(one):
                der = self._core.list(one)
                # It may have been replaced since: then the next question names the new one.
                if hashlib.sha256(der).hexdigest() == one.sha256:
                    self._lists.put(one, der)
        self._lists.keep(published)

    def _copy(self, begun: Changes) -> None:
        log.info("copying every answer of the core")
        self._replica.begin(begun.shelves)
        for shelf in sorted(set(begun.shelves.values())):
            after, more = b"", True
            while more:
                stretch = self._core.stretch(shelf, after)
                self._replica.put_stretch(stretch)
                more = stretch.more
                after = stretch.answers[-1].key if stretch.answers else after
        # What changed meanwhile is fetched next; only then is the copy whole.
        self._replica.take(replace(begun, anew=False, more=True), asked_at=self._clock())
