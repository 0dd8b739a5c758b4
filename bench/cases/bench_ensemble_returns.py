"""Returns of candidates under an ensemble, as a PETS planner asks for them."""

from __future__ import annotations

from collections.abc import Callable

from bench import network_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.network_workload import ACTIONS, STATES, NetworkRollouts
from bench.workloads import FloatArray

COUNT, PARTICLES, HORIZON, HIDDEN = 500, 20, 30, (200, 200, 200, 200)
PEERS = ("torch", "jax")


def variant(propagation: str) -> Variant:
    """Returns one way to propagate with its work."""
    steps = COUNT * PARTICLES * HORIZON
    flops = steps * network_workload.step_flops((STATES + ACTIONS, *HIDDEN, 2 * STATES))
    parameters = {
        "count": COUNT,
        "particles": PARTICLES,
        "horizon": HORIZON,
        "hidden": HIDDEN,
        "propagation": propagation,
    }
    return Variant(
        propagation, parameters, Work(steps, "sample-step", {"fma_float32": float(flops)})
    )


def mean_return(_inputs: NetworkRollouts, answer: FloatArray) -> float:
    """Mean over all candidates: a number drawn at random, alike for all."""
    return float(answer.mean())


CASE = Case(
    name="ensemble_returns",
    summary=(
        "Returns of 500 candidates with 20 particles each over 30 steps of an ensemble of five"
        " probabilistic networks with four layers of 200 units (17 states, 6 actions, SiLU),"
        " float32, fresh normals: one iteration of a PETS plan. Only the products count as FLOP."
    ),
    inputs=network_workload.ensemble_rollouts,
    variants=(variant("ts1"), variant("tsinf")),
    implementations=(
        Implementation("dynaplan", "bench.ours_networks", "returns", role="ours"),
        Implementation("torch", "bench.peers.torch_networks", "ensemble_returns"),
        Implementation("jax", "bench.peers.jax_networks", "ensemble_returns"),
        *limits("fma_float32", "sgemm_torch"),
    ),
    check=Check("mean return", mean_return),
    targets=tuple(
        Target(
            f"times faster than the best peer, {propagation}",
            lambda results, name=propagation: results.speedup(name, PEERS),  # type: ignore[misc]
            ">=",
            2.2,
            "x",
        )
        for propagation in ("ts1", "tsinf")
    ),
)


def bench_ensemble_returns(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
