"""What judges certificates of anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from ca_core.domain.path_validation import OwnStatus, PathVerdict, Question


class PathJudge(Protocol):
    def validate(
        self,
        question: Question,
        *,
        anchors: Sequence[bytes],
        own: Sequence[bytes],
        statuses: Callable[[Sequence[bytes]], Sequence[OwnStatus | None]],
        now: datetime,
    ) -> PathVerdict:
        """The verdict. ``anchors`` are trusted, ``own`` may stand between; ``statuses`` tells for the certificates of a
        chain (DER) what our own store says, None for each that is not ours.

        MalformedDer for a certificate, list or answer that cannot be read; InvalidInput for more than may come."""
        ...
