"""A cross-entropy plan with a network of 17 states and 6 actions."""

from __future__ import annotations

from collections.abc import Callable

from bench import network_workload, planning_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits

MAIN = "500 x 30 x 5, 200,200"
HIDDEN = (200, 200)
STEPS = 500 * 30 * 5
FLOPS = float(STEPS * network_workload.step_flops((23, *HIDDEN, 17)))

CASE = Case(
    name="cem_network",
    summary=(
        "One plan: 500 candidates x 30 steps x 5 iterations, 50 elites, fresh normals in each"
        " iteration, with a SiLU network of two layers of 200 for 17 states and 6 actions; a step"
        " earns minus the square of the next state. float32. The check is the mean return of 20"
        " plans in float64: larger is better; they are random and of different methods, so it need"
        " not agree. mbrl-lib is no row: what PyPI has of it does not install beside today's"
        " Gymnasium and Python."
    ),
    inputs=planning_workload.cem_network,
    variants=(
        Variant(MAIN, {"hidden": HIDDEN}, Work(STEPS, "sample-step", {"fma_float32": FLOPS})),
    ),
    implementations=(
        Implementation("dynaplan plan", "bench.ours_planning", "cem_network_plan", role="ours"),
        Implementation("dynaplan act", "bench.ours_planning", "cem_network_act", role="ours"),
        Implementation("torch", "bench.peers.torch_networks", "cem_network"),
        Implementation("torch-compile", "bench.peers.torch_networks", "cem_network_compiled"),
        Implementation("jax", "bench.peers.jax_networks", "cem_network"),
        Implementation("pytorch-mppi", "bench.peers.pytorch_mppi", "cem_network"),
        Implementation("pytorch-icem", "bench.peers.pytorch_icem", "cem_network"),
        *limits("fma_float32"),
    ),
    check=Check("true return", planning_workload.network_return),
    targets=(
        Target(
            "times faster than the best peer",
            lambda results: results.speedup(MAIN),
            ">=",
            2.5,
            "x",
        ),
    ),
)


def bench_cem_network(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
