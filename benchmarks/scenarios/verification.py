"""Verification of signed documents: how it is asked for under load. What is verified, another module brings."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from locust import task
from locust.contrib.fasthttp import FastResponse

from benchmarks.scenarios.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class SignedDocument:
    """A document and what a verifier has to say of it."""

    kind: str
    """What the report calls it, such as ``CAdES-T, detached``."""
    content: bytes
    media_type: str
    valid: bool


class Verification(Scenario):
    """Posts one document after the other and compares the verdict with what it has to be.

    A module that has a service for it subclasses this with its ``path``, ``documents`` (read once) and ``verdict``, and
    is named to locust beside this folder's locustfile: ``-f benchmarks/locustfile.py,FILE``, or
    ``python -m benchmarks.load --locustfile FILE``. Locust runs every class that is not abstract."""

    abstract = True
    scenario = "verification"
    path: ClassVar[str]
    documents: ClassVar[Sequence[SignedDocument]]

    @abstractmethod
    def verdict(self, answer: FastResponse) -> bool:
        """Whether the answer calls the document valid."""

    @task
    def verify(self) -> None:
        document = random.choice(self.documents)

        def check(answer: FastResponse) -> str | None:
            said = self.verdict(answer)
            return None if said is document.valid else f"calls it {'valid' if said else 'invalid'}"

        headers = {"Content-Type": document.media_type}
        self.call(document.kind, "POST", self.path, data=document.content, headers=headers, check=check)
