"""Imagined transitions: an actor and an ensemble, one step from many states."""

from __future__ import annotations

from collections.abc import Callable

from bench import imagination_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.imagination_workload import Imagination
from bench.workloads import FloatArray

STARTS = 100_000
ONE_STEP = f"{STARTS:,} starts"
PEERS = ("torch", "torch-compile", "jax")


def mean_reward(inputs: Imagination, answer: FloatArray) -> float:
    """Mean reward of one call."""
    return float(answer[0])


CASE = Case(
    name="imagine",
    summary=(
        "Imagined one-step rollouts from 100,000 starts (17 states, 6 actions): an actor (256, 256)"
        " draws actions, one of five elites of seven probabilistic networks 4x200 draws the next"
        " state, a quadratic reward is paid. Ours draws a member for each start, the peers deal"
        " shuffled starts out in equal shares. Only the products count as FLOP."
    ),
    inputs=imagination_workload.imagination,
    variants=(
        Variant(
            ONE_STEP,
            {"count": STARTS},
            Work(
                STARTS,
                "transition",
                {"fma_float32": float(STARTS * imagination_workload.transition_flops())},
            ),
        ),
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours_imagination", "imagine", role="ours"),
        Implementation("torch", "bench.peers.torch_imagination", "eager"),
        Implementation("torch-compile", "bench.peers.torch_imagination", "compiled"),
        Implementation("jax", "bench.peers.jax_imagination", "imagine"),
        *limits("fma_float32", "sgemm_torch"),
    ),
    check=Check("mean reward", mean_reward),
    targets=(
        Target(
            "times faster than the best peer",
            lambda results: results.speedup(ONE_STEP, PEERS),
            ">=",
            2.0,
            "x",
        ),
    ),
)


def bench_imagine(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
