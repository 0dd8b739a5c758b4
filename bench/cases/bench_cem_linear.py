"""A cross-entropy plan for a linear system of 17 states and 6 actions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.cases.bench_linear_returns import step_flops

MAIN = "500 x 30 x 5"
STEPS = 500 * 30 * 5


def true_return(inputs: workloads.LinearPlanning, plans: workloads.FloatArray) -> float:
    """Mean return of the plans (P, H, A) in float64, actions clipped to [-1, 1]."""
    states = np.tile(inputs.state, (len(plans), 1))
    weights = (inputs.state_weights, inputs.action_weights)
    actions = np.clip(plans, -1.0, 1.0)
    return float(workloads.linear_returns(inputs.system, states, actions, *weights).mean())


CASE = Case(
    name="cem_linear",
    summary=(
        "One plan: 500 candidates x 30 steps x 5 iterations, 50 elites, fresh normals in each"
        " iteration, linear model with 17 states and 6 actions, dense quadratic reward, float32"
        " peers. The check is the mean return of 20 plans: larger is better; they are random and of"
        " different methods, so it need not agree."
    ),
    inputs=workloads.linear_planning,
    variants=(
        Variant(
            MAIN, work=Work(STEPS, "sample-step", {"fma_float32": float(STEPS * step_flops(17, 6))})
        ),
    ),
    implementations=(
        Implementation("dynaplan plan", "bench.ours", "cem_linear_plan", role="ours"),
        Implementation("dynaplan act", "bench.ours", "cem_linear_act", role="ours"),
        Implementation("numpy", "bench.peers.numpy", "cem_linear"),
        Implementation("torch", "bench.peers.torch", "cem_linear"),
        Implementation("torch-compile", "bench.peers.torch_compile", "cem_linear"),
        Implementation("jax", "bench.peers.jax", "cem_linear"),
        Implementation("numba", "bench.peers.numba", "cem_linear"),
        Implementation("pytorch-mppi", "bench.peers.pytorch_mppi", "cem_linear"),
        Implementation("pytorch-icem", "bench.peers.pytorch_icem", "cem_linear"),
        Implementation("pytorch-icem white", "bench.peers.pytorch_icem", "cem_linear_white"),
        *limits("fma_float32"),
    ),
    check=Check("true return", true_return),
    targets=(
        Target(
            "times faster than the best peer",
            lambda results: results.speedup(MAIN),
            ">=",
            10.0,
            "x",
        ),
    ),
)


def bench_cem_linear(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
