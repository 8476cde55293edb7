"""The names under which private keys are kept."""

from __future__ import annotations

import re

from ca_core.domain.algorithms import KeyAlgorithm, SignatureAlgorithm
from ca_core.domain.errors import InvalidInput
from ca_core.x509.algorithm import fits

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_reference(reference: str) -> None:
    """Return if ``reference`` can name a key: in a file system, on a token, on a command line."""
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInput(
            "a key reference has up to 64 Latin letters, digits, dots, hyphens and underscores, "
            "and begins with a letter or digit"
        )


def check_fit(reference: str, key: KeyAlgorithm, algorithm: SignatureAlgorithm) -> None:
    """Return if the key can make signatures of that algorithm."""
    if not fits(key, algorithm):
        raise InvalidInput(f"the key {reference} is {key.value} and cannot sign with {algorithm.value}")
