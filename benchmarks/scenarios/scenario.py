"""What all scenarios have in common: the pace, the preparation, and how a call is counted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gevent
from locust import FastHttpUser
from locust.contrib.fasthttp import FastResponse
from locust.exception import RescheduleTask

from benchmarks.scenarios.prepared import Prepared

GOLDEN = (5**0.5 - 1) / 2
_started = itertools.count()


class Scenario(FastHttpUser):
    """One user. Subclasses give their ``scenario`` name, which every request's name in the report begins with."""

    abstract = True
    scenario: ClassVar[str]
    prepared: ClassVar[Prepared]
    throughput: ClassVar[float] = 0
    """Tasks that each user begins a second; 0: as fast as answers come."""

    @classmethod
    def arrive(cls, rate: float, users: int) -> None:
        """Begin so many tasks a second, all users together, however long each takes; 0: as fast as answers come.

        As long as an answer takes less than ``users / rate`` seconds, a slow one delays none that come after it, so
        that their waiting is counted too."""
        cls.throughput = rate / users

    def on_start(self) -> None:
        """Begin at a moment of one's own: locust starts all users of a second at once, and they would ask in step ever
        after. The golden ratio spreads any number of them evenly."""
        if self.throughput:
            self._due = time.perf_counter() + next(_started) * GOLDEN % 1 / self.throughput
            gevent.sleep(self._due - time.perf_counter())

    def wait_time(self) -> float:
        """Until the next task is due, by the clock and not by the end of this one."""
        if not self.throughput:
            return 0
        self._due += 1 / self.throughput
        return max(0, self._due - time.perf_counter())

    def call(
        self,
        what: str,
        method: str,
        path: str,
        *,
        expect: tuple[int, ...] = (200,),
        check: Check | None = None,
        **sent: Any,
    ) -> FastResponse:
        """Ask, and count the answer under this name: an error unless its status is expected and ``check`` finds no
        fault in it. After an error the task ends."""
        answer: FastResponse
        with self.client.request(
            method, path, name=f"{self.scenario}: {what}", catch_response=True, allow_redirects=False, **sent
        ) as answer:
            fault = None
            if answer.status_code not in expect:
                fault = f"answered {answer.status_code}"
            elif check is not None:
                fault = check(answer)
            if fault is None:
                answer.success()
                return answer
            answer.failure(fault)
        raise RescheduleTask

    def api(
        self,
        what: str,
        method: str,
        path: str,
        *,
        token: str,
        version: int | None = None,
        body: Mapping[str, object] | None = None,
        expect: int = 200,
    ) -> Any:
        """Call the REST API and read the JSON of its answer."""
        headers = {"Authorization": f"Bearer {token}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        # The API wants a length, and an empty body has none of its own accord.
        sent: dict[str, Any] = {"json": body} if body is not None else {"data": b""} if method != "GET" else {}
        return self.call(what, method, f"/api/v1{path}", headers=headers, expect=(expect,), **sent).json()


Check = Callable[[FastResponse], str | None]
"""Says what is wrong with an answer; None if nothing is."""
