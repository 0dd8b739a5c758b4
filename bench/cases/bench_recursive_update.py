"""One update of recursive least squares."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Variant, Work
from bench.cases.bench_small_fit import error

CASE = Case(
    name="recursive_update",
    summary=(
        "`RecursiveLeastSquares.update` of one row, 17 states and 6 actions, float64, from Python,"
        " beside the covariance form in NumPy. The check is the error of the coefficients"
        " afterwards."
    ),
    inputs=workloads.regression,
    variants=(Variant("17 states, 6 actions", {"rows": 2000, "action_dim": 6}, Work(1, "update")),),
    implementations=(
        Implementation("dynaplan", "bench.ours", "recursive_update", (1,), "ours"),
        Implementation("numpy", "bench.peers.numpy", "recursive_update", (1,)),
    ),
    check=Check("error", error, lambda figure: figure < 1e-5),  # noise 1e-6 over 2,000 rows
    seconds=0.2,
)


def bench_recursive_update(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
