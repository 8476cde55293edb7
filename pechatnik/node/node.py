"""The wiring of a status node."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from ca_core.domain.errors import CaError, ConfigurationError, TryAgain
from ca_core.keys.secrets_source import read_secret
from ca_core.outbound.guarded_client import GuardedClient
from ca_core.services.ports import Clock
from ocsp.ready import ReadyAnswers
from ocsp.replica import FOLDER, Replica
from pechatnik.adapters import make_data_directory
from pechatnik.bootstrap import now
from pechatnik.config import Config
from pechatnik.node.copies import CopiedLists
from pechatnik.node.core import Core
from pechatnik.node.follower import Follower
from pechatnik.node.freshness import Freshness
from pechatnik.readiness import Finding

CORE_SECONDS = 5.0
"""How long the core may be silent before a question to it is given up."""


@dataclass(frozen=True, kw_only=True)
class StatusNode:
    """Everything wired up, for one process."""

    folder: Path
    """Of the copy."""
    core: Core
    replica: Replica
    lists: CopiedLists
    ready: ReadyAnswers
    freshness: Freshness
    follower: Follower
    lag: timedelta
    clock: Clock

    def follow(self) -> Callable[[threading.Event], None]:
        """Following the core until told to stop. ConfigurationError when another process does so in this directory: two
        would write over each other what they have heard."""
        lock = (self.folder / "following").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ConfigurationError(f"another status node runs in {self.folder.parent}") from None

        def run(stop: threading.Event) -> None:
            with lock:
                self.follower.run(stop)

        return run

    def require_fresh(self) -> None:
        """TryAgain unless the copy is whole and the core was heard within the bound."""
        if not self.freshness.holds():
            age = self.freshness.age()
            when = "the core was not heard yet" if age is None else f"the core was heard {age:.0f} seconds ago"
            raise TryAgain(f"{when}; is 'pechatnik serve --role status' running, and does it reach the core?")

    def findings(self) -> list[Finding]:
        """What ``/readyz`` and ``pechatnik doctor`` tell."""
        try:
            age = self.freshness.age()
            answers = sum(self.replica.counts().values())
        except CaError as error:
            return [Finding(name="copy", ok=False, detail=error.detail)]
        if age is None:
            return [Finding(name="copy", ok=False, detail=f"not whole, or not heard of yet: {answers} answers")]
        return [
            Finding(name="copy", ok=True, detail=f"{answers} answers"),
            Finding(
                name="core",
                ok=0 <= age <= self.lag.total_seconds(),
                detail=f"heard {age:.0f} s ago; ready answers are given for {self.lag.total_seconds():.0f} s",
            ),
        ]


BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Another one after each start of the machine (Linux)."""


def uptime() -> float:
    """Seconds since the machine was started, those in which it slept too: the same for all processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def build(config: Config, *, clock: Clock = now, uptime: Callable[[], float] = uptime) -> StatusNode:
    """ConfigurationError where the section ``[node]`` is empty, or the data directory cannot be made."""

    def seconds() -> float:
        return clock().timestamp()

    section = config.node
    if not section.core_url:
        raise ConfigurationError("a status node follows a core: set node.core_url and node.token_file")
    make_data_directory(config)
    core = Core(
        section.core_url,
        GuardedClient([section.core_url], seconds=CORE_SECONDS, ca_file=section.ca_file),
        token=partial(read_secret, file=section.token_file, variable=None, environment={}),
    )
    core.token()
    replica = Replica(config.data / FOLDER, boot=BOOT.read_text().strip())
    lists = CopiedLists(replica, clock=seconds)
    lag = timedelta(seconds=section.lag_seconds)
    return StatusNode(
        folder=config.data / FOLDER,
        core=core,
        replica=replica,
        lists=lists,
        ready=ReadyAnswers(replica, max_age=timedelta(minutes=config.status.ocsp_minutes), clock=seconds),
        freshness=Freshness(replica, lag=lag, uptime=uptime),
        follower=Follower(core, replica, lists, uptime=uptime),
        lag=lag,
        clock=clock,
    )
