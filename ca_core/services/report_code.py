"""The code with which a subscriber reports a lost token without a log-in."""

from __future__ import annotations

import base64
import hashlib

from ca_core.domain.identifiers import Entropy

OCTETS = 15
"""120 random bits: nobody guesses it, so it needs no second secret."""


def new_report_code(entropy: Entropy) -> str:
    """24 letters and digits in groups of four, as people write them down."""
    letters = base64.b32encode(entropy(OCTETS)).decode("ascii")
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def report_code_digest(code: str) -> bytes:
    """What is stored. Case, spaces and hyphens do not matter, and 0, 1 and 8 are read as O, I and B."""
    letters = "".join(code.split()).replace("-", "").upper().translate(str.maketrans("018", "OIB"))
    return hashlib.sha256(b"pechatnik report code\0" + letters.encode()).digest()
