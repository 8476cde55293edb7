"""Ready answers as files, for a web server or a CDN's origin that answers GET by itself (RFC 6960 appendix A.1).

A file is named after the request that it answers, as base64 with ``_`` for ``/`` and without padding, and stands in a
folder named after its last two characters. The server turns the path of a request into that name, so it does not matter
which characters a client escapes.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ca_core.domain.access import Actor, Permission
from ca_core.domain.errors import InvalidInput, TryAgain
from ocsp.answers import AnswerStore
from ocsp.ready import Ready, ReadyAnswers, request_of

MARK = ".pechatnik-ocsp"
"""A file that says that the folder is ours, and what is in it may be removed."""
UNFINISHED = ".new"
"""End of the name of a file that is being written."""
BATCH = 10_000
"""Answers that are read from the store at once."""


@dataclass(kw_only=True)
class Exported:
    """Numbers of files."""

    written: int = 0
    kept: int = 0
    """As they were."""
    removed: int = 0


class StaticTree:
    """Brings a folder to what the store has. It may be interrupted at any time and run again: what is right stays."""

    def __init__(self, store: AnswerStore, ready: ReadyAnswers) -> None:
        self._store = store
        self._ready = ready

    def export(
        self,
        actor: Actor,
        folder: Path,
        *,
        pretend: bool = False,
        progress: Callable[[int], None] = lambda done: None,
    ) -> Exported:
        """Remove first what is not to be served any more, then write what is new; each file appears whole. With
        ``pretend`` only count. ``progress`` is told how many answers more are done.

        InvalidInput for a folder with something in it that is no such tree, TryAgain while another export goes on there
        and when the disk takes nothing."""
        actor.require(Permission.CRL_ISSUE)
        try:
            if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
                raise InvalidInput(f"{folder} is neither empty nor a tree of answers")
            if pretend:
                return self._bring(folder, pretend, progress)
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / MARK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self._bring(folder, pretend, progress)
        except BlockingIOError:
            raise TryAgain(f"another export to {folder} goes on") from None
        except OSError as error:
            raise TryAgain(f"{error.filename or folder}: {error.strerror}") from None

    def _bring(self, folder: Path, pretend: bool, progress: Callable[[int], None]) -> Exported:
        done = Exported()
        for stale in self._stale(folder):
            done.removed += 1
            if not pretend:
                stale.unlink(missing_ok=True)
        for prefix, shelf in self._store.shelves().items():
            for keys in self._store.keys(shelf, batch=BATCH):
                for key in keys:
                    self._put(folder, request_of(prefix, key), done, pretend)
                progress(len(keys))
        return done

    def _stale(self, folder: Path) -> Iterator[Path]:
        for place in folder.glob("??"):
            for file in place.iterdir():
                if self._ready.answer(_request(file.name)) is None:
                    yield file

    def _put(self, folder: Path, request: bytes, done: Exported, pretend: bool) -> None:
        found = self._ready.answer(request)
        if found is None:  # forgotten meanwhile, or it has ended
            return
        file = folder / name_of(request)
        if _stamp(file) == (_modified(found), len(found.body)):
            done.kept += 1
            return
        done.written += 1
        if pretend:
            return
        file.parent.mkdir(exist_ok=True)
        unfinished = file.with_name(f"{file.name}.{os.getpid()}{UNFINISHED}")
        unfinished.write_bytes(found.body)
        os.utime(unfinished, ns=(_modified(found),) * 2)
        unfinished.rename(file)


def name_of(request: bytes) -> str:
    """Where in the tree the answer to that request stands."""
    text = b64encode(request, b"+_").rstrip(b"=").decode()
    return f"{text[-2:]}/{text}"


def _request(name: str) -> bytes:
    """The request that a file is named after; empty for any other name."""
    try:
        return b64decode(name + "=" * (-len(name) % 4), b"+_", validate=True)
    except ValueError:
        return b""


def _modified(ready: Ready) -> int:
    """A file's time, in nanoseconds: thisUpdate, which RFC 9919 §6.2 wants as Last-Modified, and below the second,
    which servers leave out, a checksum: a certificate may be revoked in the second in which its answer was signed."""
    return ready.this_update * 10**9 + zlib.crc32(ready.body) % 10**9


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
