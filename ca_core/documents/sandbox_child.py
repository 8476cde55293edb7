"""The process that parses hostile bytes: reads one job on stdin, gives up every right, answers on stdout.

Started by :mod:`ca_core.documents.sandbox` as ``python -I -m ca_core.documents.sandbox_child``.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import signal
import sys

from ca_core.documents.envelope import pack, unpack
from ca_core.documents.limits import UploadLimits
from ca_core.documents.refusals import Found, Refusal

_JOBS = {
    "inspect-pdf": "ca_core.documents.pdf",
    "inspect-image": "ca_core.documents.image",
    "draw-pdf": "ca_core.documents.pdf_page",
    "render-pdf": "ca_core.documents.pdf_page",
    "render-image": "ca_core.documents.image",
}

# <sched.h>, <sys/prctl.h>: Python has os.unshare only from 3.12 on, and no prctl at all.
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


def confine(*, cpu_seconds: int, memory: int) -> None:
    """Give up what parsing does not need. Call after the last import: nothing can be opened afterwards.

    No descriptor number is allowed (RLIMIT_NOFILE 0), so neither a file nor a socket can be opened and no program's
    loader can run; the open pipes go on working. A new user namespace takes away root's right to lift the limits, a
    new network namespace every interface. Where the kernel or a container forbids namespaces the limits stand alone.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def main() -> None:
    header, data = unpack(sys.stdin.buffer.read())
    name, limits, options = header["job"], header["limits"], header["options"]
    assert isinstance(name, str)
    assert isinstance(limits, dict)
    assert isinstance(options, dict)
    job = getattr(importlib.import_module(_JOBS[name]), name.partition("-")[0])
    confine(cpu_seconds=limits.pop("cpu_seconds"), memory=limits.pop("memory"))
    try:
        answer, body = job(data, UploadLimits(**limits), **options)
    except Found as found:
        answer, body = {"refused": found.refusal}, b""
    except MemoryError:
        answer, body = {"refused": Refusal.TOO_HEAVY}, b""
    except Exception:  # a parser met something its authors did not foresee: whatever it is, it is no document
        answer, body = {"refused": Refusal.DAMAGED}, b""
    sys.stdout.buffer.write(pack(answer, body))
    sys.stdout.buffer.flush()
    os._exit(0)  # no destructors of parsers that hostile bytes have been through


if __name__ == "__main__":
    main()
