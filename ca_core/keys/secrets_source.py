"""Where passphrases and PINs come from: a file or an environment variable, never the command line."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from ca_core.domain.errors import ConfigurationError

Secret = Callable[[], bytes]
"""Returns the secret whenever it is needed, so that nobody has to keep it."""

MAX_SECRET_SIZE = 4096
"""Octets."""


def read_secret(*, file: Path | None, variable: str | None, environment: Mapping[str, str]) -> bytes:
    """The secret from ``file``, or from the variable of that name in ``environment``; exactly one has to be given.

    One line end after the secret in a file is not part of it. :class:`ConfigurationError` when none or both are
    given, the file is missing, open to all users, empty or longer than 4,096 octets, or the variable is not set.
    """
    if (file is None) == (variable is None):
        raise ConfigurationError("name either a file or an environment variable for the secret, and not both")
    if file is not None:
        secret = _from_file(file)
        origin = str(file)
    else:
        assert variable is not None
        secret = os.fsencode(environment.get(variable, ""))
        origin = f"the environment variable {variable}"
    if not secret:
        raise ConfigurationError(f"{origin} holds no secret; put the secret there")
    if len(secret) > MAX_SECRET_SIZE:
        raise ConfigurationError(f"the secret in {origin} is longer than {MAX_SECRET_SIZE} octets")
    return secret


def _from_file(path: Path) -> bytes:
    # Orchestrators mount secrets behind symbolic links, so those are followed, and the target's mode counts.
    try:
        with path.open("rb") as file:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"{path} is not a regular file")
            if status.st_mode & 0o007:
                raise ConfigurationError(f"{path} is open to all users; run: chmod 600 {path}")
            secret = file.read(MAX_SECRET_SIZE + 3)
    except OSError as error:
        raise ConfigurationError(f"the secret in {path} cannot be read: {error.strerror}") from None
    return secret.removesuffix(b"\n").removesuffix(b"\r")
