"""Micro-benchmarks: what issuance costs, step by step, beside a peer in the same run."""
