"""What plugins bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ca_core.domain.application import CheckMode, CheckVerdict


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """What an evidence check says."""

    verdict: CheckVerdict
    detail: str
    extra: Mapping[str, str] | None = None


class EvidenceCheck(Protocol):
    """A counterparty or register check that a plugin brings."""

    @property
    def name(self) -> str: ...
    @property
    def mode(self) -> CheckMode: ...

    def run(self, subject: Mapping[str, str]) -> CheckOutcome: ...


class EventHandler(Protocol):
    def __call__(self, event: Mapping[str, object]) -> None: ...
