"""One-step errors on a real quadrotor's flights, beside PyTorch's best network of a grid."""

from __future__ import annotations

from collections.abc import Callable

from bench import flights
from bench.case import Case, Implementation, Target, Variant
from bench.measurements import Results

VARIANT = "160 flights"


def mean_beside_torch(results: Results) -> float:
    """Returns the mean error of our best of a grid over that of torch's."""
    ours = results.fact(VARIANT, "dynaplan Ensemble, best of a grid", "mean error")
    return ours / results.fact(VARIANT, "torch, best of a grid", "mean error")


CASE = Case(
    name="flights",
    summary=(
        "Root mean squared error of one step on flights that were not trained on, in standard"
        " deviations of the change, mean over 9 states; ten splits of 160 flights, 3,812"
        " transitions. Ours with its defaults, and for each split the ensemble of 8 with the least"
        " held-out error; torch's is for each split the network of 12 with the least held-out loss."
        " Cover: share of the test rows inside the ensemble's 90 % bands, least and greatest of the"
        " ten. Needs DYNAPLAN_FLIGHTS."
    ),
    inputs=flights.splits,
    variants=(Variant(VARIANT),),
    implementations=(
        Implementation("dynaplan Ensemble", "bench.flights", "ensemble", (2,), "ours"),
        Implementation(
            "dynaplan Ensemble, best of a grid", "bench.flights", "tuned_ensemble", (2,), "ours"
        ),
        Implementation("dynaplan MLP", "bench.flights", "single", (1,), "ours"),
        Implementation("dynaplan LinearGaussian", "bench.flights", "linear", (1,), "ours"),
        Implementation("torch, best of a grid", "bench.peers.torch_flights", "tuned", (1,)),
    ),
    targets=(
        Target(
            "mean error, both the best of a grid, over torch's", mean_beside_torch, "<=", 1.0, "x"
        ),
        Target(
            "least cover",
            lambda results: results.fact(VARIANT, "dynaplan Ensemble", "least cover %"),
            ">=",
            87.0,
            "%",
        ),
        Target(
            "greatest cover",
            lambda results: results.fact(VARIANT, "dynaplan Ensemble", "greatest cover %"),
            "<=",
            93.0,
            "%",
        ),
    ),
)


def bench_flights(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
