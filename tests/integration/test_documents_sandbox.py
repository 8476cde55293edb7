"""The sandbox holds: what hostile code could try inside fails, and whatever the child does, the parent survives."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from ca_core.documents.limits import SandboxLimits, UploadLimits
from ca_core.documents.sandbox import Sandbox
from ca_core.domain.errors import DocumentRejected, TryAgain

CONFINED = """
import ctypes, os, resource, socket, sys
from ca_core.documents.sandbox_child import confine
opened = os.open({path!r}, os.O_RDWR)
confine(cpu_seconds=1, memory=1 << 28)
{attempt}
"""


def attempt(code: str, path: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the code after the child has given up its rights."""
    path.touch()
    program = CONFINED.format(path=str(path), attempt=code)
    return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("open('/etc/hostname')", b"Too many open files"),
        ("os.listdir('/')", b"Too many open files"),
        ("os.close(0); open('/etc/hostname')", b"Too many open files"),
        ("socket.socket()", b"Too many open files"),
        ("socket.socket(socket.AF_UNIX)", b"Too many open files"),
        ("os.pipe()", b"Too many open files"),
        ("os.execv('/bin/sh', ['sh', '-c', 'echo alive'])", b""),
        ("import xml.dom.minidom", b"Too many open files"),
        ("bytearray(1 << 29)", b"MemoryError"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))", b"ValueError"),
        ("resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))", b"ValueError"),
    ],
    ids=[
        "open-a-file",
        "list-a-directory",
        "reuse-a-descriptor",
        "open-a-socket",
        "open-a-unix-socket",
        "open-a-pipe",
        "run-a-program",
        "load-a-module",
        "take-memory",
        "lift-the-file-limit",
        "lift-the-memory-limit",
    ],
)
def test_a_confined_process_cannot(code: str, outcome: bytes, tmp_path: Path) -> None:
    ended = attempt(f"{code}; os.write(1, b'alive')", tmp_path / "file")
    assert ended.returncode != 0
    assert outcome in ended.stderr
    assert b"alive" not in ended.stdout


def test_a_confined_process_cannot_grow_a_file_it_had_open(tmp_path: Path) -> None:
    attempt("os.write(opened, b'alive')", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b""


def test_a_confined_process_that_loops_is_killed_by_the_kernel(tmp_path: Path) -> None:
    assert attempt("while True: pass", tmp_path / "file").returncode < 0


def test_a_confined_process_can_still_answer(tmp_path: Path) -> None:
    assert attempt("os.write(1, b'alive')", tmp_path / "file").stdout == b"alive"


def child(code: str, *, wall_seconds: float = 20.0, processes: int = 1) -> Sandbox:
    """A sandbox whose child runs this code instead of a job."""
    limits = SandboxLimits(wall_seconds=wall_seconds, max_answer=1 << 20, processes=processes)
    return Sandbox(limits, command=[sys.executable, "-I", "-c", f"import os, sys, time\n{code}"])


READ = "sys.stdin.buffer.read()\n"
ANSWER = "from ca_core.documents.envelope import pack\nsys.stdout.buffer.write(pack({'pages': 1}, b'body'))"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("time.sleep(60)", "too much time"),
        (READ + "time.sleep(60)", "too much time"),
        ("os.close(1); time.sleep(60)", "too much time"),
        (READ + "os.fork(); time.sleep(60)", "too much time"),
        (READ + "while True: os.write(1, b'x' * 65536)", "too much time"),
        (READ + "os.kill(os.getpid(), 9)", "too much time"),
        (READ + "os.abort()", "damaged"),
        (READ + "sys.exit(3)", "damaged"),
        ("sys.exit(0)", "damaged"),
        (READ + "os.write(1, b'nonsense')", "damaged"),
        (READ + ANSWER.replace("'pages': 1", "'refused': '<script>'"), "damaged"),
        (READ + ANSWER.replace("'pages': 1", "'refused': 'xfa'"), "XFA form"),
    ],
    ids=[
        "never-reads",
        "never-answers",
        "closes-its-output-and-stays",
        "leaves-a-child-behind",
        "floods",
        "is-killed",
        "crashes",
        "fails",
        "says-nothing",
        "answers-nonsense",
        "refuses-for-no-known-reason",
        "refuses",
    ],
)
def test_whatever_the_child_does_the_parent_says_why(code: str, sentence: str) -> None:
    data = bytes(1 << 20)  # more than a pipe holds, so that feeding a child that does not read would block
    with pytest.raises(DocumentRejected, match=sentence):
        child(code, wall_seconds=0.5 if "sleep" in code else 20).run("any", data, UploadLimits())


def test_a_child_that_answers_early_is_heard() -> None:
    answer, body = child(ANSWER).run("any", bytes(1 << 20), UploadLimits())
    assert (answer, body) == ({"pages": 1}, b"body")


def test_no_process_and_no_descriptor_is_left_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for code in (ANSWER, "os.fork(); time.sleep(60)"):
        with contextlib.suppress(DocumentRejected):
            child(code, wall_seconds=0.3).run("any", bytes(1 << 20), UploadLimits())
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_child_inherits_no_environment_and_no_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PECHATNIK_SECRET", "hunter2")
    code = READ + ANSWER.replace("b'body'", "repr((sorted(os.environ), os.getcwd())).encode()")
    _, body = child(code).run("any", b"", UploadLimits())
    assert body == b"(['LC_ALL'], '/')"


def test_when_every_place_is_taken_the_caller_is_told_to_try_again() -> None:
    sandbox = child("time.sleep(60)", wall_seconds=0.5)
    start = threading.Barrier(4)
    outcomes: set[str] = set()

    def run() -> None:
        start.wait()
        try:
            sandbox.run("any", b"", UploadLimits())
        except (TryAgain, DocumentRejected) as error:
            outcomes.add(error.code)

    callers = [threading.Thread(target=run) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert outcomes == {"try-again", "document-rejected"}


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (SandboxLimits(wall_seconds=0.001), "too much time"),
        (SandboxLimits(memory=96 << 20), "too much time or memory"),
    ],
    ids=["no-time", "no-memory"],
)
def test_a_real_job_under_too_small_limits_is_refused(limits: SandboxLimits, sentence: str) -> None:
    output = io.BytesIO()
    Image.new("RGB", (6_000, 6_000)).save(output, "PNG", compress_level=1)
    with pytest.raises(DocumentRejected, match=sentence):
        Sandbox(limits).run("inspect-image", output.getvalue(), UploadLimits())
