"""Runs one job on hostile bytes in a process of its own, and survives whatever becomes of that process."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ca_core.documents.envelope import pack, unpack
from ca_core.documents.limits import SandboxLimits, UploadLimits
from ca_core.documents.refusals import Refusal, rejection
from ca_core.domain.errors import TryAgain

# -I: neither the working directory, nor the user's site, nor PYTHON* variables have a say in what is imported.
_COMMAND = (sys.executable, "-I", "-m", "ca_core.documents.sandbox_child")
_PIPE = 1 << 16


class Sandbox:
    """One process for each job; thread-safe.

    ``command`` starts the child; an operator may put a stronger jail in front of the default (bwrap, nsjail)."""

    def __init__(self, limits: SandboxLimits | None = None, *, command: Sequence[str] = _COMMAND) -> None:
        self._limits = limits or SandboxLimits()
        self._command = tuple(command)
        self._places = threading.BoundedSemaphore(self._limits.processes)

    def run(
        self, job: str, data: bytes, limits: UploadLimits, *, options: Mapping[str, object] | None = None
    ) -> tuple[dict[str, object], bytes]:
        """The job's answer and body.

        DocumentRejected when the job refuses the bytes, crashes, answers nonsense or passes a limit; TryAgain when
        every place is taken. The answer comes from a process that hostile bytes may have taken over: check it."""
        bounds = {**asdict(limits), "cpu_seconds": self._limits.cpu_seconds, "memory": self._limits.memory}
        message = pack({"job": job, "limits": bounds, "options": dict(options or {})}, data)
        if not self._places.acquire(timeout=self._limits.wall_seconds):
            raise TryAgain("too many documents are being checked at this moment; try again in a minute")
        try:
            output, status = self._talk(message)
        finally:
            self._places.release()
        if status in (None, -signal.SIGXCPU, -signal.SIGKILL):
            raise rejection(Refusal.TOO_HEAVY, limits)
        try:
            answer, body = unpack(output)
            refused = Refusal(str(answer["refused"])) if "refused" in answer else None
        except ValueError:
            raise rejection(Refusal.DAMAGED, limits) from None
        if refused is not None:
            raise rejection(refused, limits)
        return answer, body

    def _talk(self, message: bytes) -> tuple[bytes, int | None]:
        """What the child wrote and its exit status; None when it had to be killed."""
        deadline = time.monotonic() + self._limits.wall_seconds
        child = subprocess.Popen(  # noqa: S603 - fixed argv
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"LC_ALL": "C.UTF-8"},
            start_new_session=True,
            bufsize=0,
        )
        try:
            output = self._exchange(child, message, deadline)
            if output is None:
                return b"", None
            return output, child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return b"", None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                pipe.close()

    def _exchange(self, child: subprocess.Popen[bytes], message: bytes, deadline: float) -> bytes | None:
        """Feed and read at once, so that neither side blocks the other; None on time-out or flood."""
        assert child.stdin is not None
        assert child.stdout is not None
        os.set_blocking(child.stdin.fileno(), False)
        rest, output = memoryview(message), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdin, selectors.EVENT_WRITE)
            selector.register(child.stdout, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if key.fileobj is child.stdin:
                        try:
                            rest = rest[os.write(key.fd, rest[:_PIPE]) :]
                        except BrokenPipeError:
                            rest = rest[:0]
                        if not rest:
                            selector.unregister(child.stdin)
                            child.stdin.close()
                        continue
                    block = os.read(key.fd, _PIPE)
                    output += block
                    if not block:
                        return bytes(output)
                    if len(output) > self._limits.max_answer:
                        return None
        return None
