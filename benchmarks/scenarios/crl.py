"""Downloads of revocation lists, by clients that mostly have one already."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from locust import task
from locust.contrib.fasthttp import FastResponse

from benchmarks.scenarios.scenario import Scenario


class CrlDownload(Scenario):
    """One user stands for many clients: some come for the first time, the others ask whether theirs is still current
    (RFC 9110 §13.1.2)."""

    scenario = "crl"
    newcomers: ClassVar[float] = 0.1

    def on_start(self) -> None:
        super().on_start()
        self._etags: dict[str, str] = {}

    @task
    def fetch(self) -> None:
        path = random.choice(self.prepared.lists)
        etag = self._etags.get(path)
        if etag is None or random.random() < self.newcomers:
            answer = self.call("download", "GET", path, check=_is_list)
        else:
            answer = self.call(
                "revalidate", "GET", path, headers={"If-None-Match": etag}, expect=(200, 304), check=_is_list
            )
        self._etags[path] = _header(answer, "ETag")


def _is_list(answer: FastResponse) -> str | None:
    if not _header(answer, "ETag"):
        return "has no ETag"
    if answer.status_code == 200 and _header(answer, "Content-Type") != "application/pkix-crl":
        return "is no list"
    return None


def _header(answer: FastResponse, name: str) -> str:
    headers: Any = answer.headers  # whose type says less than it has
    return str(headers.get(name, ""))
