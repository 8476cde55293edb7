"""Object identifiers (UUIDv7) and certificate serial numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from ca_core.domain.errors import InvalidInput

Entropy = Callable[[int], bytes]
"""``entropy(n)`` returns n octets from a cryptographic source; ``secrets.token_bytes`` in production."""

SERIAL_RANDOM_OCTETS = 17
"""136 random bits, beside a leading octet 0x01..0x7f that fixes sign and length (invariant 1)."""


def uuid7(now: datetime, entropy: Entropy) -> UUID:
    """A time-ordered identifier (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(entropy(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


@dataclass(frozen=True, order=True, slots=True)
class Serial:
    """A certificate serial number: positive, at most 20 octets (RFC 5280 §4.1.2.2)."""

    value: int

    def __post_init__(self) -> None:
        if not 0 < self.value < 1 << 159:
            raise InvalidInput("a serial number is positive and at most 20 octets long")

    @classmethod
    def random(cls, entropy: Entropy) -> Self:
        """A new serial of 18 octets, 136 bits of them random after the sign is fixed."""
        lead = entropy(1)[0] % 0x7F + 1
        return cls(int.from_bytes(bytes([lead]) + entropy(SERIAL_RANDOM_OCTETS), "big"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read hex, colon-hex or decimal. All digits and at most 15 of them, or prefixed ``dec:``, is decimal;
        ``0x`` forces hex. Our own serials have 36 hex digits, so a long run of digits is hex."""
        cleaned = text.strip().lower()
        try:
            if cleaned.startswith("dec:"):
                return cls(int(cleaned[4:]))
            if cleaned.startswith("0x"):
                return cls(int(cleaned, 16))
            if re.fullmatch(r"[0-9a-f]{1,2}(:[0-9a-f]{2})+", cleaned):
                return cls(int(cleaned.replace(":", ""), 16))
            if re.fullmatch(r"[0-9]+", cleaned) and (len(cleaned) <= 15 or len(cleaned) > 40):
                return cls(int(cleaned))
            if re.fullmatch(r"[0-9a-f]{1,40}", cleaned):
                return cls(int(cleaned, 16))
        except ValueError:
            pass
        raise InvalidInput(f"not a serial number: {text[:64]!r}; use hex, colon-hex or decimal")

    @property
    def hex(self) -> str:
        """Lower-case hex without separators, whole octets."""
        digits = f"{self.value:x}"
        return digits if len(digits) % 2 == 0 else "0" + digits

    def __str__(self) -> str:
        return self.hex
