"""What the enabled plugins bring, gathered before anything is wired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ca_core.domain.application import CheckMode
from ca_core.domain.errors import ConfigurationError
from ca_core.services.ports import EventHandler, EvidenceCheck
from ca_core.services.subject_rules import IdentifierRules
from pechatnik.config import Config
from pechatnik.plugin_registry import load_plugins


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """What the enabled plugins bring."""

    identifier_rules: IdentifierRules
    evidence_checks: Sequence[EvidenceCheck]
    pack_folders: Sequence[Path]
    event_handlers: Mapping[str, Sequence[EventHandler]]


def contributions_of(config: Config) -> Contributions:
    """Load the enabled plugins and gather what they bring; ConfigurationError where two bring the same."""
    hook = load_plugins(config.plugins.enabled).hook
    rules: dict[str, object] = {}
    for brought in hook.ca_identifier_rules():
        if twice := rules.keys() & brought.keys():
            raise ConfigurationError(f"two plugins bring the identifier rule {sorted(twice)[0]!r}; enable one of them")
        rules |= brought
    checks = [check for brought in hook.ca_evidence_checks() for check in brought]
    for check in checks:
        if check.mode not in set(CheckMode):
            raise ConfigurationError(f"the check {check.name!r} of a plugin has the mode {check.mode!r}, which is none")
    names = [check.name for check in checks]
    if len(set(names)) != len(names):
        raise ConfigurationError("two plugins bring an evidence check of the same name; enable one of them")
    handlers: dict[str, list[EventHandler]] = {}
    for brought in hook.ca_event_handlers():
        for event, handler in brought.items():
            handlers.setdefault(event, []).append(handler)
    return Contributions(
        identifier_rules=rules,  # type: ignore[arg-type]  # pluggy's results are untyped
        evidence_checks=checks,
        pack_folders=[folder for brought in hook.ca_packs() for folder in brought],
        event_handlers=handlers,
    )
