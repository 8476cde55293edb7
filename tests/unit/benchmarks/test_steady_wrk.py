"""What several runs of wrk say together."""

from __future__ import annotations

from collections import Counter

from benchmarks.steady_wrk import Slice, figures


def test_percentiles_are_of_all_slices_together_and_not_the_mean_of_theirs() -> None:
    quick = Slice(begun=0, seconds=10, requests=980, failures=0, latencies=Counter({1000: 980}))
    slow = Slice(begun=12, seconds=8, requests=20, failures=2, latencies=Counter({90_000: 10, 8000: 9, 1000: 1}))
    found = figures([quick, slow])
    assert (found.requests, found.failures, found.rate) == (1000, 2, 50.0)
    assert (found.median, found.p95, found.p99) == (1.0, 1.0, 8.0)
