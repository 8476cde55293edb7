"""What has to be there before the load comes: tokens, applications, questions. In a file, since tokens are secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What :mod:`benchmarks.load` made ready in an installation."""

    subscriber: str
    """Token."""
    operator: str
    """Token of an account that reviews in ``centre``."""
    profile: str
    centre: str
    subject: Mapping[str, str]
    applications: Sequence[tuple[str, int]] = ()
    """Identifiers and versions of applications that wait for nothing but their certificate."""
    known: Sequence[str] = ()
    """OCSP requests in Base64 about certificates that were issued; those asked most often come first."""
    unknown: Sequence[str] = ()
    """OCSP requests in Base64 about serials that were never issued."""
    lists: Sequence[str] = ()
    """Paths of CRLs."""

    def write(self, path: Path) -> None:
        """Into a new file that nobody else can read."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, path: Path) -> Self:
        """OSError if it cannot be read, TypeError if it holds something else."""
        return cls(**json.loads(path.read_text(encoding="ascii")))

    def share(self, index: int, of: int) -> Sequence[tuple[str, int]]:
        """The applications for one of so many workers: each is asked for once."""
        return self.applications[index::of]
