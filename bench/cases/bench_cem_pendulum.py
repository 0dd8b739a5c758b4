"""A cross-entropy plan for the pendulum: 500 candidates, 30 steps, 5 iterations."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work
from bench.measurements import Results

MAIN = "500 x 30 x 5"
CALLS = {"planner.plan": "dynaplan plan", "MPC.act": "dynaplan act"}


def true_return(inputs: workloads.PendulumPlanning, plans: workloads.FloatArray) -> float:
    """Mean true return of the plans (P, H, 1), by Pendulum-v1's own equations."""
    return float(workloads.pendulum_return(inputs, plans[..., 0]).mean())


def promises(call: str, label: str) -> tuple[Target, ...]:
    """Returns what is promised of one way to call the planner."""

    def median(results: Results, threads: int) -> float:
        return 1e3 * results.fastest(MAIN, labels=(label,), threads=threads).median

    def tail(results: Results) -> float:
        row = results.fastest(MAIN, labels=(label,), threads=1)
        return row.p99 / row.median

    return (
        Target(f"{call}, 1 thread, median", lambda results: median(results, 1), "<=", 0.45, "ms"),
        Target(f"{call}, 1 thread, p99 over median", tail, "<=", 2.0, "x"),
        Target(f"{call}, 2 threads, median", lambda results: median(results, 2), "<=", 0.30, "ms"),
    )


CASE = Case(
    name="cem_pendulum",
    summary=(
        "One plan: 500 candidates x 30 steps x 5 iterations, 50 elites, fresh normals in each"
        " iteration, from Python. `dynaplan` plans with a model learned from 200 steps (quadratic"
        " features); the peers, and `analytic`, which is ours as well, with the pendulum's own"
        " equations. The check is the mean true return of 20 plans: larger is better; they are"
        " random and of different methods, so it need not agree."
    ),
    inputs=workloads.pendulum_planning,
    variants=(Variant(MAIN, work=Work(500 * 30 * 5, "sample-step")),),
    implementations=(
        Implementation("dynaplan plan", "bench.ours", "cem_pendulum_plan", role="ours"),
        Implementation("dynaplan act", "bench.ours", "cem_pendulum_act", role="ours"),
        Implementation("analytic plan", "bench.ours_analytic", "cem_pendulum_plan", role="ours"),
        Implementation("analytic act", "bench.ours_analytic", "cem_pendulum_act", role="ours"),
        Implementation("numpy", "bench.peers.numpy", "cem_pendulum", (1,)),
        Implementation("torch", "bench.peers.torch", "cem_pendulum"),
        Implementation("torch-compile", "bench.peers.torch_compile", "cem_pendulum"),
        Implementation("jax", "bench.peers.jax", "cem_pendulum"),
        Implementation("numba", "bench.peers.numba", "cem_pendulum"),
        Implementation("pytorch-mppi", "bench.peers.pytorch_mppi", "cem_pendulum"),
        Implementation("pytorch-icem", "bench.peers.pytorch_icem", "cem_pendulum"),
        Implementation("pytorch-icem white", "bench.peers.pytorch_icem", "cem_pendulum_white"),
    ),
    check=Check("true return", true_return),
    targets=tuple(promise for call, label in CALLS.items() for promise in promises(call, label)),
)


def bench_cem_pendulum(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
