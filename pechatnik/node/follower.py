"""Keeps a status node's copy like the core: answers every second, lists a little later."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable

import structlog

from ca_core.domain.errors import CaError
from ocsp.replica import Replica
from pechatnik.node.copies import CopiedLists
from pechatnik.node.core import Core

PAUSE = 1.0
"""Seconds between two questions for changes."""
LISTS_PAUSE = 10.0
"""Seconds between two questions for lists."""

log = structlog.get_logger("node")


class Follower:
    """Asks, and asks again after whatever went wrong; :attr:`Replica.heard` says how old the copy is meanwhile."""

    def __init__(self, core: Core, replica: Replica, lists: CopiedLists, *, uptime: Callable[[], float]) -> None:
        """``uptime`` tells seconds since the machine was started."""
        self._core = core
        self._replica = replica
        self._lists = lists
        self._uptime = uptime

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop. A list may take long to come, and answers do not wait for it."""
        lists = threading.Thread(target=self._keep, args=(stop, "lists", self.follow_lists, LISTS_PAUSE), daemon=True)
        lists.start()
        self._keep(stop, "answers", self.follow, PAUSE)
        lists.join(timeout=5)

    def _keep(self, stop: threading.Event, what: str, follow: Callable[[], None], pause: float) -> None:
        troubled = ""
        while True:
            try:
                follow()
                if troubled:
                    log.info("the core is heard again", of=what)
                troubled = ""
            except CaError as trouble:
                if trouble.detail != troubled:  # once, not every second
                    log.warning("cannot follow the core", of=what, detail=trouble.detail)
                troubled = trouble.detail
            except Exception:  # whatever is wrong with one page, the next may be right
                log.exception("following the core failed", of=what)
            if stop.wait(pause):
                return

    def follow(self) -> None:
        """Take in everything that has changed by now. TryAgain when the core cannot be followed now."""
        more = True
        while more:
            asked_at = self._uptime()
            changes = self._core.changes(self._replica.position())
            if changes.anew:
                log.info("copying every answer of the core")
                self._replica.begin(changes)
            elif (copied_to := self._replica.copied_to()) is not None:
                self._copy(changes.shelves.values(), *copied_to)
                log.info("every answer is copied")
            else:
                self._replica.take(changes, asked_at=asked_at)
                more = changes.more

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

    def _copy(self, shelves: Iterable[str], begun: str, after: bytes) -> None:
        """Every shelf in turn, from where copying has come to."""
        for shelf in sorted({one for one in shelves if one >= begun}):
            after, more = after if shelf == begun else b"", True
            while more:
                stretch = self._core.stretch(shelf, after)
                self._replica.put_stretch(shelf, stretch)
                more = stretch.more
                after = stretch.answers[-1].key if stretch.answers else after
        self._replica.copied()
