"""Trajectories of many linear rollouts, to a fresh array and to one given with `out=`."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits

COUNT, HORIZON, STATE_DIM, ACTION_DIM = 16384, 50, 17, 6
FRESH = "fresh array"
REUSED = "out="


def variant(name: str, reuse_output: bool) -> Variant:
    """Returns one way of returning the result; the bound is arithmetic, reading or writing."""
    steps = COUNT * HORIZON
    written = 4.0 * COUNT * (HORIZON + 1) * STATE_DIM
    bounds = {
        "fma_float32": float(steps * (2 * STATE_DIM * (STATE_DIM + ACTION_DIM) + STATE_DIM)),
        "memory_read": 4.0 * (steps * ACTION_DIM + COUNT * STATE_DIM),
        "memory_write" if reuse_output else "fresh_write": written,
    }
    parameters = {"count": COUNT, "horizon": HORIZON, "reuse_output": reuse_output}
    return Variant(name, parameters, Work(steps, "sample-step", bounds))


def error(inputs: workloads.LinearRollouts, answer: workloads.FloatArray) -> float:
    """Largest difference from float64, over the largest state."""
    return workloads.relative_error(answer, workloads.linear_trajectories(inputs))


def promise(name: str) -> Target:
    """Returns what is promised of one variant."""
    text = f"times faster than the best peer, {name}"
    return Target(text, lambda results: results.speedup(name), ">=", 5.0, "x")


CASE = Case(
    name="linear_trajectories",
    summary=(
        "All states of 16,384 rollouts of a linear model (17 states, 6 actions) over 50 steps,"
        " float32; ours in the order (N, H + 1, S), peers time-major, which suits them better."
    ),
    inputs=workloads.linear_rollouts,
    variants=(variant(FRESH, reuse_output=False), variant(REUSED, reuse_output=True)),
    implementations=(
        Implementation("dynaplan", "bench.ours", "linear_trajectories", role="ours"),
        Implementation("numpy", "bench.peers.numpy", "linear_trajectories"),
        Implementation("torch", "bench.peers.torch", "linear_trajectories"),
        Implementation("jax", "bench.peers.jax", "linear_trajectories"),
        Implementation("numba", "bench.peers.numba", "linear_trajectories"),
        *limits("fma_float32", "memory_read", "memory_write", "fresh_write"),
    ),
    check=Check("error", error, lambda figure: figure < 1e-5),  # 50 float32 steps give 3e-7
    targets=(promise(FRESH), promise(REUSED)),
)


def bench_linear_trajectories(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
