"""Linear least squares, 24 features and an intercept to 17 targets, float64."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.measurements import Results

FEATURES, TARGETS = 24, 17
MILLION = "N=1000000"
TORCH_NORMAL = ("torch normal equations", "torch normal equations chunked")


def variant(rows: int) -> Variant:
    """Returns one size; its bound is the moments of [x 1 | y], each array read once."""
    columns = FEATURES + 1
    moments = float(rows * (columns * (columns + 1) + 2 * columns * TARGETS))
    bounds = {"memory_read": 8.0 * rows * (FEATURES + TARGETS), "fma_float64": moments}
    return Variant(f"N={rows}", {"rows": rows, "noise": 0.0}, Work(rows, "row", bounds))


def error(inputs: workloads.Regression, answer: workloads.FloatArray) -> float:
    """Largest error of a coefficient over the largest true coefficient; the data have no noise."""
    assert inputs.coefficients is not None, "these variants know their coefficients"
    return workloads.relative_error(answer, inputs.coefficients)


def slowdown_beside_torch(results: Results) -> float:
    """Returns ours over the best of torch's normal equations."""
    ours = results.fastest(MILLION, "ours").median
    return ours / results.fastest(MILLION, labels=TORCH_NORMAL).median


CASE = Case(
    name="least_squares",
    summary=(
        "Least squares of N rows, 24 features (17 states, 7 actions) and an intercept, 17 targets,"
        " float64. Ours from a Transitions object with residual covariance and the rest; peers get"
        " [x 1] ready-made and solve for coefficients only. The bound is the arithmetic of the"
        " moments and one read."
    ),
    inputs=workloads.regression,
    variants=(variant(1_000_000), variant(100_000), variant(100_003)),
    implementations=(
        Implementation("dynaplan", "bench.ours", "least_squares", role="ours"),
        Implementation("numpy lstsq", "bench.peers.numpy", "least_squares"),
        Implementation("numpy normal equations", "bench.peers.numpy", "normal_equations"),
        Implementation("scipy lstsq", "bench.peers.scipy", "least_squares"),
        Implementation("torch lstsq", "bench.peers.torch", "least_squares"),
        Implementation(TORCH_NORMAL[0], "bench.peers.torch", "normal_equations"),
        Implementation(TORCH_NORMAL[1], "bench.peers.torch", "normal_equations_chunked"),
        Implementation("jax normal equations", "bench.peers.jax", "normal_equations"),
        *limits("memory_read", "fma_float64"),
    ),
    check=Check("error", error, lambda figure: figure < 1e-12),
    targets=(
        Target(
            "N=1000000: times faster than numpy.linalg.lstsq",
            lambda results: results.speedup(MILLION, ("numpy lstsq",)),
            ">=",
            10.0,
            "x",
        ),
        Target(
            "N=1000000: error over that of numpy.linalg.lstsq",
            lambda results: (
                results.figure(MILLION, "dynaplan") / results.figure(MILLION, "numpy lstsq")
            ),
            "<=",
            1.0,
            "x",
        ),
        Target(
            "N=1000000: time over that of the best torch normal equations",
            slowdown_beside_torch,
            "<=",
            1.5,
            "x",
        ),
    ),
)


def bench_least_squares(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
