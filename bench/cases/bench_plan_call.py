"""What a plan costs before it plans anything: one candidate, one step."""

from __future__ import annotations

from collections.abc import Callable

from bench.case import Case, Implementation, Target, Variant
from bench.measurements import Results

MAIN = "1 x 1 x 1"
LABELS = {"MPC.act": "dynaplan act", "planner.plan": "dynaplan plan"}


def median(label: str) -> Callable[[Results], float]:
    """Returns what reads the microseconds of one row."""
    return lambda results: 1e6 * results.fastest(MAIN, labels=(label,)).median


CASE = Case(
    name="plan_call",
    summary=(
        "One plan of `dp.CEM` with one candidate, one step and one iteration, from Python: a linear"
        " model of one state, a quadratic reward. `planner.plan` makes bounds, settings, problem"
        " and memory anew in each call; `MPC.act` keeps them."
    ),
    inputs=lambda: None,
    variants=(Variant(MAIN),),
    implementations=(
        Implementation("dynaplan act", "bench.ours_planning", "plan_call_act", (1,), "ours"),
        Implementation("dynaplan plan", "bench.ours_planning", "plan_call_plan", (1,), "ours"),
    ),
    targets=tuple(
        Target(f"{call}, median", median(label), "<=", 6.0, "us") for call, label in LABELS.items()
    ),
    seconds=0.2,
)


def bench_plan_call(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
