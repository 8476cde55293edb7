"""What a run has to keep to, and what it missed."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures

EVERY = "every"
"""The section that counts for every request that does not say otherwise."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the requests of one name may take; what is None is not looked at."""

    errors: float | None = None
    """The largest share that may fail, of 1."""
    p95: float | None = None
    """Milliseconds."""
    p99: float | None = None
    rate: float | None = None
    """The least number of answers a second."""

    def at_least(self, rate: float) -> Budget:
        """The same, with so many answers a second wanted."""
        return replace(self, rate=rate)

    def missed_by(self, name: str, figures: Figures) -> Iterator[str]:
        """One sentence for each figure that is beyond."""
        if not figures.requests:
            yield f"{name}: was never asked"
            return
        share = figures.failures / figures.requests
        if self.errors is not None and share > self.errors:
            yield f"{name}: {share:.2%} of {figures.requests:,} requests failed, and at most {self.errors:.2%} may"
        for percentile in ("p95", "p99"):
            most, took = getattr(self, percentile), getattr(figures, percentile)
            if most is not None and took > most:
                yield f"{name}: {percentile} is {took:,.0f} ms, and at most {most:,.0f} ms are allowed"
        if self.rate is not None and figures.rate < self.rate:
            yield f"{name}: {figures.rate:,.1f} answers a second, and at least {self.rate:,.1f} are wanted"


@dataclass(frozen=True)
class Budgets:
    """By the name of the request, and what counts for all."""

    every: Mapping[str, Any]
    named: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Budgets:
        """From TOML. ValueError, with a sentence, if there is something in it that no budget has."""
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, section in sections.items():
            if unknown := set(section) - set(Budget.__dataclass_fields__):
                raise ValueError(f"{path}: [{name}] has {min(unknown)!r}, which no budget has")
        return cls(sections.pop(EVERY, {}), sections)

    def missed(self, figures: Mapping[str, Figures], *, scenarios: Collection[str]) -> list[str]:
        """One sentence for each budget that was missed; budgets of scenarios that did not run do not count."""
        expected = {name for name in self.named if name.partition(":")[0] in scenarios}
        nothing = Figures(requests=0, failures=0, rate=0, median=0, p95=0, p99=0)
        return [
            sentence
            for name in sorted(expected | figures.keys())
            for sentence in Budget(**{**self.every, **self.named.get(name, {})}).missed_by(
                name, figures.get(name, nothing)
            )
        ]
