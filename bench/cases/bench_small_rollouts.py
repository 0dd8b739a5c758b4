"""Returns of one and of 64 linear rollouts: the cost of a call."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Implementation, Variant, Work
from bench.cases.bench_linear_returns import CASE as MANY

HORIZON = 30

CASE = Case(
    name="small_rollouts",
    summary=(
        "Returns of 1 and of 64 rollouts of a linear model (17 states, 6 actions) over 30 steps,"
        " float32, dense quadratic reward: where the cost of a call dominates."
    ),
    inputs=workloads.linear_rollouts,
    variants=tuple(
        Variant(
            f"N={count}", {"count": count, "horizon": HORIZON}, Work(count * HORIZON, "sample-step")
        )
        for count in (1, 64)
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours", "linear_returns", role="ours"),
        Implementation("numpy", "bench.peers.numpy", "linear_returns", (1,)),
        Implementation("numpy condensed", "bench.peers.numpy", "linear_returns_condensed", (1,)),
        Implementation("torch", "bench.peers.torch", "linear_returns", (1,)),
        Implementation("jax", "bench.peers.jax", "linear_returns"),
        Implementation("numba", "bench.peers.numba", "linear_returns", (1,)),
        Implementation("numba tiles", "bench.peers.numba", "linear_returns_tiled", (1,)),
    ),
    check=MANY.check,
    seconds=0.2,
)


def bench_small_rollouts(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
