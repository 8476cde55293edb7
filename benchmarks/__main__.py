"""``python -m benchmarks``: issuance with one thing added at a time, beside ``cryptography``'s builder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.issuance import measure
from benchmarks.report import table, write
from ca_core.domain.algorithms import KeyAlgorithm

ALGORITHMS = (
    KeyAlgorithm.EC_P256,
    KeyAlgorithm.EC_P384,
    KeyAlgorithm.RSA_3072,
    KeyAlgorithm.ED25519,
    KeyAlgorithm.ML_DSA_65,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="certificates in each run (default 60)")
    parser.add_argument("--runs", type=int, default=5, help="runs, of which the median counts (default 5)")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database (default: SQLite)")
    parser.add_argument("--algorithm", action="append", choices=[one.value for one in KeyAlgorithm], default=[])
    parser.add_argument("--page", type=Path, default=None, help="page whose table is replaced")
    options = parser.parse_args()
    results = []
    for algorithm in [KeyAlgorithm(one) for one in options.algorithm] or ALGORITHMS:
        print(f"{algorithm.value} …", file=sys.stderr, flush=True)
        results.append(measure(algorithm, count=options.count, runs=options.runs, database=options.database))
    print(table(results))
    if options.page is not None:
        write(options.page, results, command=f"python -m benchmarks --count {options.count} --runs {options.runs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
