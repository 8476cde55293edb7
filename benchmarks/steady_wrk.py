"""wrk at a constant rate: requests fall due by the clock, whatever becomes of those before."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figures

CONNECTIONS = 64
"""Enough that one is free whenever a request falls due, as long as answers take less than ``CONNECTIONS / rate``
seconds on average. wrk counts from the moment of sending."""

_PACE = """
local ffi = require("ffi")
ffi.cdef("typedef struct {{ long seconds, nanoseconds; }} timespec; int clock_gettime(int clock, timespec *now);")
local spec, due = ffi.new("timespec"), 0
delay = function()
  ffi.C.clock_gettime(1, spec)
  local now = tonumber(spec.seconds) * 1000 + tonumber(spec.nanoseconds) / 1e6
  due = math.max(due + 1000 / {rate}, now - 100)
  return math.max(0, math.floor(due - now + 0.5))
end
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write("took ", summary.duration, " failed ", failed, "\\n")
  for at = 1, #latency do io.write(string.format("%d %d\\n", latency(at))) end
end
"""


@dataclass(frozen=True)
class Slice:
    """What a run of some seconds measured."""

    begun: float
    """By the monotonic clock, in seconds."""
    seconds: float
    failures: int
    latencies: Counter[int]
    """How many answers took so many microseconds."""


def slices(script: str, url: str, *, rate: float, seconds: float, each: float, place: Path) -> Iterator[Slice]:
    """One run of wrk after the other, for so many seconds together. ``script`` is Lua that says what to ask."""
    file = place / "steady.lua"
    file.write_text(script + _PACE.format(rate=rate))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) >= 1:
        begun = time.monotonic()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{round(min(left, each))}s", "-s", str(file), url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        yield _read(begun, said[said.rindex("took ") :].split())


def _read(begun: float, words: list[str]) -> Slice:
    took, failures, *pairs = (float(word) for word in words if word not in ("took", "failed"))
    latencies = Counter({int(value): int(count) for value, count in zip(pairs[::2], pairs[1::2], strict=True)})
    return Slice(begun, took / 1e6, int(failures), latencies)


def figures(found: list[Slice]) -> Figures:
    """Of all slices together."""
    latencies = sum((one.latencies for one in found), Counter())
    return Figures(
        requests=latencies.total(),
        failures=sum(one.failures for one in found),
        rate=latencies.total() / sum(one.seconds for one in found),
        median=percentile(latencies, 0.5),
        p95=percentile(latencies, 0.95),
        p99=percentile(latencies, 0.99),
    )


def percentile(latencies: Counter[int], share: float) -> float:
    """Milliseconds that this share of the answers took at most."""
    wanted = share * latencies.total()
    seen = 0
    for microseconds, count in sorted(latencies.items()):
        seen += count
        if seen >= wanted:
            return microseconds / 1000
    return 0
