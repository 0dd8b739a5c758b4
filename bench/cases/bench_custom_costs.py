"""A plan for the pendulum with a cost, or dynamics, that the user writes: what each way costs."""

from __future__ import annotations

from collections.abc import Callable

from bench import custom_functions
from bench.case import Case, Check, Implementation, Target, Variant, Work
from bench.measurements import Results

STEPS = 500 * 30 * 5
COSTS = {
    "built-in terms": "built_in",
    "C by ctypes": "c_by_ctypes",
    "numba cfunc": "numba_cfunc",
    "numba scalar": "numba_scalar",
    "numba scalar float32": "numba_scalar_float32",
    "NumPy function": "numpy_function",
}
DYNAMICS = {"numba dynamics": "numba_dynamics", "NumPy dynamics": "numpy_dynamics"}


# Arithmetic of a scalar function is in float64 wherever a literal takes part: half the lanes.
PROMISED = {"C by ctypes": 1.2, "numba cfunc": 1.2, "numba scalar": 1.5}


def times_built_in(results: Results, label: str) -> float:
    """Returns how many times as long a plan takes as with built-in terms, quadratic cost."""
    own = results.fastest("quadratic", labels=(label,), threads=1).median
    return own / results.fastest("quadratic", labels=("built-in terms",), threads=1).median


CASE = Case(
    name="custom_costs",
    summary=(
        "One plan, 500 candidates x 30 steps x 5 iterations, as in `cem_pendulum`, with a model"
        " learned from 200 steps and one cost written in several ways: a quadratic of cosine, sine,"
        " speed and torque, or the angle's square by the arc tangent. In the third table the"
        " dynamics are the user's and the cost is built in. The check compares returns of fixed"
        " torques with those of built-in terms (and NumPy dynamics) in float64."
    ),
    inputs=custom_functions.custom_planning,
    variants=(
        Variant("quadratic", {"cost": "quadratic"}, Work(STEPS, "sample-step"), tuple(COSTS)),
        Variant("angle", {"cost": "angle"}, Work(STEPS, "sample-step"), tuple(COSTS)),
        Variant("dynamics", {"cost": "dynamics"}, Work(STEPS, "sample-step"), tuple(DYNAMICS)),
    ),
    implementations=tuple(
        Implementation(label, "bench.custom_functions", function, role="ours")
        for label, function in (COSTS | DYNAMICS).items()
    ),
    check=Check("error", custom_functions.error_of, lambda error: error < 1e-4),
    targets=tuple(
        Target(
            f"{label}, 1 thread, quadratic cost, over built-in terms",
            lambda results, label=label: times_built_in(results, label),  # type: ignore[misc]
            "<=",
            bound,
            "x",
        )
        for label, bound in PROMISED.items()
    ),
)


def bench_custom_costs(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
