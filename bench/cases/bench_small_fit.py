"""A fit of five rows: the cost of a call."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant

MAIN = "five rows"


def error(inputs: workloads.Regression, answer: workloads.FloatArray) -> float:
    """Largest error of a coefficient of `x' = 0.5 x + u`, which the five rows follow exactly."""
    assert inputs.coefficients is not None, "the five rows know their coefficients"
    return workloads.relative_error(answer, inputs.coefficients)


CASE = Case(
    name="small_fit",
    summary=(
        "`LinearGaussian.fit` of five rows with one state and one action, default settings, from"
        " Python; the peers solve for the three coefficients only."
    ),
    inputs=workloads.five_rows,
    variants=(Variant(MAIN),),
    implementations=(
        Implementation("dynaplan", "bench.ours", "small_fit", (1,), "ours"),
        Implementation("numpy lstsq", "bench.peers.numpy", "least_squares", (1,)),
        Implementation("numpy normal equations", "bench.peers.numpy", "normal_equations", (1,)),
        Implementation("scipy lstsq", "bench.peers.scipy", "least_squares", (1,)),
        Implementation("torch normal equations", "bench.peers.torch", "normal_equations", (1,)),
    ),
    check=Check("error", error, lambda figure: figure < 1e-12),
    targets=(
        Target(
            "time of a call",
            lambda results: 1e6 * results.fastest(MAIN, "ours").median,
            "<=",
            20.0,
            "us",
        ),
    ),
    seconds=0.2,
)


def bench_small_fit(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
