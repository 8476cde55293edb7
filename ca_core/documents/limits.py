"""How large an upload may be, and how much of the machine looking at it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """What an upload may contain."""

    max_size: int = 20 << 20
    """Octets of the file."""
    max_pages: int = 200
    max_pixels: int = 80_000_000
    """Of one picture: A3 at 600 dpi has 70 million."""
    max_expanded: int = 256 << 20
    """Octets that the compressed streams of a PDF unpack to, together."""


@dataclass(frozen=True, kw_only=True)
class SandboxLimits:
    """What the process that parses an upload may use before the kernel or we kill it."""

    cpu_seconds: int = 10
    wall_seconds: float = 20.0
    memory: int = 1 << 30
    """Octets of address space."""
    max_answer: int = 64 << 20
    """Octets that it may send back."""
    processes: int = 4
    """How many may run at once; more callers wait for ``wall_seconds`` and are then told to try again."""
