"""A directory of secrets that nobody else can read, whose files are written whole."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ca_core.domain.errors import ConfigurationError, Duplicate, NotFound

MAX_FILE_SIZE = 64 * 1024
"""Octets; an encrypted RSA-4096 key has about 3,400."""


class ProtectedDirectory:
    """Files of mode 0600 in a directory of mode 0700, all owned by the user that the process runs as.

    Wider permissions, another owner and symbolic links are :class:`ConfigurationError`, on every access.
    """

    def __init__(self, path: Path) -> None:
        """The directory is made when something is first written to it."""
        self.path = path

    def names(self, *, suffix: str) -> list[str]:
        """The names of the files that end so, without the ending, sorted; none when there is no directory yet."""
        if not os.path.lexists(self.path):
            return []
        with self._opened() as directory:
            names = os.listdir(directory)
        return sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix) and not name.startswith("."))

    def read(self, name: str) -> bytes:
        """The content of one file; :class:`NotFound` when there is none of that name."""
        path = self.path / name
        if not os.path.lexists(self.path):
            raise NotFound(f"there is no file {path}")
        with self._opened() as directory:
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
            except FileNotFoundError:
                raise NotFound(f"there is no file {path}") from None
            except OSError as error:
                raise ConfigurationError(f"{path} cannot be opened, or is a symbolic link: {error.strerror}") from None
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise ConfigurationError(f"{path} is not a regular file")
                _check_private(path, status, wanted="600")
                content = file.read(MAX_FILE_SIZE + 1)
        if len(content) > MAX_FILE_SIZE:
            raise ConfigurationError(f"{path} is longer than {MAX_FILE_SIZE} octets, so it is no key")
        return content

    def create(self, name: str, content: bytes) -> None:
        """Write a new file whole and durably, or not at all; :class:`Duplicate` when the name is taken."""
        self._make()
        path = self.path / name
        with self._opened() as directory:
            try:
                with _written(directory, name, content) as temporary:
                    # A link fails where the name exists, so two writers cannot both win; a rename would replace.
                    os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            except FileExistsError:
                raise Duplicate(f"{path} exists already and is not overwritten") from None
            except OSError as error:
                raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None

    def replace(self, name: str, content: bytes, *, unless: Callable[[bytes], bool]) -> None:
        """Write a file whole and durably, in place of one of that name, unless that one's content is to stay.

        One writer at a time, of all processes, so none replaces what it has not seen."""
        self._make()
        with self._opened() as directory:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX)  # until the descriptor is closed
                with suppress(NotFound):
                    if unless(self.read(name)):
                        return
                with _written(directory, name, content) as temporary:
                    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            except OSError as error:
                raise ConfigurationError(f"{self.path / name} cannot be written: {error.strerror}") from None

    def _make(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self.path.mkdir(mode=0o700)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be made: {error.strerror}") from None

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """A descriptor of the directory, its permissions checked; names below it cannot be swapped meanwhile."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} is not a directory that can be opened, or is a symbolic link: {error.strerror}"
            ) from None
        try:
            _check_private(self.path, os.fstat(descriptor), wanted="700")
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _written(directory: int, name: str, content: bytes) -> Iterator[str]:
    """A new file with that content under a name of its own; what the block does with it reaches the disk too."""
    temporary = f".{name}.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode=0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        with suppress(FileNotFoundError):  # when it was renamed
            os.unlink(temporary, dir_fd=directory)
    os.fsync(directory)


def _check_private(path: Path, status: os.stat_result, *, wanted: str) -> None:
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{path} belongs to another user; run as its owner, or change the owner")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise ConfigurationError(f"{path} is open to other users; run: chmod {wanted} {path}")
