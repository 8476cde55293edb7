"""What a lint found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule; any finding stops the signature."""

    rule: str
    """The rule's module name, or the external linter's code."""
    detail: str
    """One sentence on what is wrong."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"
