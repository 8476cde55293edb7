"""Whose turn it is to write into SQLite, among all threads and processes.

SQLite has one writer at a time. Who finds another there sleeps, longer and longer, up to a tenth of a second, and may
find another again: two busy processes get less done than one. A lock beside the database is asked for more often.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress

from ca_core.domain.errors import ConfigurationError, TryAgain

PAUSE = 0.0005
"""Seconds between two attempts; a commit takes several times as long."""


class WriterTurn:
    """The lock of one database. The kernel gives it back when its holder dies."""

    def __init__(self, database: str, *, timeout: float) -> None:
        """``timeout`` in seconds."""
        self._path = f"{database}-writer"
        self._attempts = int(timeout / PAUSE)

    def take(self) -> int:
        """A file descriptor that stands for the turn; TryAgain when it does not come, ConfigurationError when there can
        be no lock."""
        try:
            turn = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be written: {error.strerror}") from None
        for _ in range(self._attempts):
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return turn
            except BlockingIOError:
                time.sleep(PAUSE)
        os.close(turn)
        raise TryAgain("the database is busy; try again")

    @staticmethod
    def give_back(turn: int) -> None:
        with suppress(OSError):
            os.close(turn)
