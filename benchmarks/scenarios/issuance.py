"""Issuance alone: applications that were decided beforehand, each asked for once."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from locust import task
from locust.exception import StopUser

from benchmarks.scenarios.scenario import Scenario


class Issuance(Scenario):
    """Stops when no application is left; a budget for the rate then tells that there were too few."""

    scenario = "issuance"
    waiting: ClassVar[deque[tuple[str, int]]] = deque()

    @task
    def issue(self) -> None:
        if not self.waiting:
            raise StopUser
        application, version = self.waiting.popleft()
        path = f"/applications/{application}/issue"
        self.api("issue", "POST", path, token=self.prepared.subscriber, version=version)
