"""RSA: keys of Debian's broken generator of 2006 to 2008 (CVE-2008-0166), from lists as openssl-blacklist has them.

A list is a text file. Blank lines and lines that begin with ``#`` say nothing; each other line is the last 20 of the
40 hexadecimal digits of the SHA-1 of ``Modulus=``, the modulus in upper-case hexadecimal, and a line feed. Other
known broken keys can be listed in the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable
from pathlib import Path

from ca_core.domain.errors import ConfigurationError, WeakKey

_ENTRY = re.compile(r"[0-9a-f]{20}")


def fingerprint(modulus: int) -> bytes:
    """The ten octets under which the lists know a modulus."""
    # A name in a published list, not a protection; the format fixes SHA-1.
    return hashlib.sha1(f"Modulus={modulus:X}\n".encode(), usedforsecurity=False).digest()[10:]


def read_known_weak(paths: Iterable[Path]) -> frozenset[bytes]:
    """All fingerprints in the lists; :class:`ConfigurationError` names the file and line that is wrong."""
    found: set[bytes] = set()
    for path in paths:
        try:
            lines = path.read_text("ascii").splitlines()
        except OSError as error:
            raise ConfigurationError(f"the list of weak keys {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"the list of weak keys {path} is not a text file in ASCII") from None
        for number, line in enumerate(lines, 1):
            entry = line.strip().lower()
            if not entry or entry.startswith("#"):
                continue
            if not _ENTRY.fullmatch(entry):
                raise ConfigurationError(f"{path} line {number}: an entry has 20 hexadecimal digits")
            found.add(bytes.fromhex(entry))
    return frozenset(found)


def check_known_weak(modulus: int, known: Container[bytes]) -> None:
    """Return if the modulus is not listed."""
    if fingerprint(modulus) in known:
        raise WeakKey("the RSA key is on a list of known weak keys (CVE-2008-0166); make a new one")
