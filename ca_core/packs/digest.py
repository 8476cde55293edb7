"""Digests of profiles and packs: what an intent and an approval name when they say by which rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta

LEFT_OUT = frozenset({"digest", "label"})
"""A corrected translation is not another profile."""


def digest_of(value: object) -> bytes:
    """SHA-256 over the canonical JSON of a profile or pack: sorted keys, no spaces, UTF-8; labels left out."""
    canonical = json.dumps(
        value, default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).digest()


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value) if item.name not in LEFT_OUT}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical form for {type(value).__name__}")
