"""A plan of iCEM's own budget with an ensemble: what must fit into a control step."""

from __future__ import annotations

from collections.abc import Callable

from bench import network_workload, planning_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.measurements import Results

MAIN = "97 x 30, 5 x (64 x 2)"
STATES, ACTIONS = planning_workload.REACHER_STATES, planning_workload.REACHER_ACTIONS
STEPS = 97 * 30 * 5
FLOPS = float(STEPS * network_workload.step_flops((STATES + ACTIONS, 64, 64, 2 * STATES)))


def tail(results: Results) -> float:
    """p99 over the median of the faster of our rows."""
    row = results.fastest(MAIN, "ours")
    return row.p99 / row.median


CASE = Case(
    name="icem_budget",
    summary=(
        "One plan of Reacher's size (10 states, 2 actions, Reacher-v5's reward): iCEM with 40, 32"
        " and 25 sequences of 30 steps and those kept, five probabilistic networks of two layers of"
        " 64, a particle with each, noise of the model drawn. float32. The check is the mean return"
        " of 20 plans over the members' means in float64: larger is better; plans are random, so it"
        " need not agree."
    ),
    inputs=planning_workload.reacher,
    variants=(Variant(MAIN, work=Work(STEPS, "sample-step", {"fma_float32": FLOPS})),),
    implementations=(
        Implementation("dynaplan", "bench.ours_planning", "icem_budget", role="ours"),
        Implementation("pytorch-icem", "bench.peers.pytorch_icem", "icem_budget"),
        *limits("fma_float32"),
    ),
    check=Check("model return", planning_workload.reacher_return),
    targets=(
        Target(
            "median", lambda results: 1e3 * results.fastest(MAIN, "ours").median, "<=", 2.5, "ms"
        ),
        Target("p99 over median", tail, "<=", 2.0, "x"),
    ),
)


def bench_icem_budget(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
