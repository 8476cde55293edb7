"""The last seal of the audit chain in a file beside the keys, where whoever writes the database cannot reach it."""

from __future__ import annotations

from pathlib import Path

from ca_core.domain.audit import AuditCheckpoint
from ca_core.domain.errors import AuditBroken, InvalidInput, NotFound
from ca_core.keys.protected_directory import ProtectedDirectory
from ca_core.services.audit_file import checkpoint_line, read_checkpoint

FOLDER = Path("keys", "audit")
"""In the data directory."""
NAME = "last-seal.json"


class LastSealFile:
    """See :class:`ca_core.services.ports.LastSeal`."""

    def __init__(self, directory: Path) -> None:
        self._directory = ProtectedDirectory(directory)

    def read(self) -> AuditCheckpoint | None:
        try:
            return self._parsed(self._directory.read(NAME))
        except NotFound:
            return None

    def keep(self, seal: AuditCheckpoint) -> None:
        self._directory.replace(
            NAME,
            f"{checkpoint_line(seal)}\n".encode(),
            unless=lambda content: self._parsed(content).sequence >= seal.sequence,
        )

    def _parsed(self, content: bytes) -> AuditCheckpoint:
        try:
            return read_checkpoint(content.decode())
        except (InvalidInput, UnicodeDecodeError):
            raise AuditBroken(
                f"{self._directory.path / NAME} was changed: it holds no seal of the audit chain"
            ) from None
