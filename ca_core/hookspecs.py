"""Every hook a plugin may implement. Names start with ``ca_``; ``docs/plugins.md`` tells more of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pluggy

from ca_core.services.ports import EventHandler, EvidenceCheck

NAMESPACE = "ca_core"

hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@hookspec
def ca_identifier_rules() -> Mapping[str, Callable[[str], bool]]:  # type: ignore[empty-body]
    """Checksum rules for identifiers, by the name that packs use (``ru.inn.legal``)."""


@hookspec
def ca_evidence_checks() -> Sequence[EvidenceCheck]:  # type: ignore[empty-body]
    """Counterparty and register checks that run on an application's data when it is submitted."""


@hookspec
def ca_packs() -> Sequence[Path]:  # type: ignore[empty-body]
    """Folders of jurisdiction packs that the plugin brings."""


@hookspec
def ca_event_handlers() -> Mapping[str, EventHandler]:  # type: ignore[empty-body]
    """What to call after commit, by event name (``certificate.issued``); called at least once each."""
