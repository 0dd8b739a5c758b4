"""The others: one module a peer, one function a workload, each `(inputs, threads) -> Prepared`.

A peer runs with its own best settings and its own best memory layout; what helps it (features
with a column of ones, a time-major layout, a factor of the quadratic form) is prepared before the
timing.
"""
