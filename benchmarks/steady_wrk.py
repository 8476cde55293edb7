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
seconds on average. wrk counts from the moment of sending, and adds what must have waited behind slow answers, so that
there are more latencies than answers."""

_PACE = """
local ffi = require("ffi")
ffi.cdef("typedef struct {{ long seconds, nanoseconds; }} timespec; int clock_gettime(int clock, timespec *now);")
ffi.cdef("typedef struct {{ uint64_t count, limit, min, max, data[]; }} latencies;")
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
  io.write("took ", summary.duration, " answered ", summary.requests, " failed ", failed, "\\n")
  -- As wrk's stats.h has it; asked one by one, each latency would be looked for from the first.
  local all, different = ffi.cast("latencies **", latency)[0], 0
  for value = tonumber(all.min), tonumber(all.max) do
    local count = tonumber(all.data[value])
    if count > 0 then
      different = different + 1
      io.write(value, " ", count, "\\n")
    end
  end
  assert(different == #latency, "this version of wrk keeps its latencies otherwise")
end
"""


@dataclass(frozen=True)
class Slice:
    """What a run of some seconds measured."""

    begun: float
    """By the monotonic clock, in seconds."""
    seconds: float
    requests: int
    failures: int
    latencies: Counter[int]
    """How many answers took so many microseconds."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


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
    _, took, _, requests, _, failures, *pairs = words
    latencies = Counter({int(value): int(count) for value, count in zip(pairs[::2], pairs[1::2], strict=True)})
    return Slice(begun, float(took) / 1e6, int(requests), int(failures), latencies)


def figures(found: list[Slice]) -> Figures:
    """Of all slices together; the rate is that of the whole time, with what it took to start wrk again."""
    requests = sum(one.requests for one in found)
    latencies = sum((one.latencies for one in found), Counter())
    return Figures(
        requests=requests,
        failures=sum(one.failures for one in found),
        rate=requests / (found[-1].begun + found[-1].seconds - found[0].begun),
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
