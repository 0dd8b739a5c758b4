"""One step of one network from Python: the cost of a call."""

from __future__ import annotations

from collections.abc import Callable

from bench import network_workload
from bench.case import Case, Implementation, Target, Variant, Work

CASE = Case(
    name="network_step",
    summary=(
        "The next state of one state and action under a (64, 64) SiLU network with 17 states and 6"
        " actions, asked for from Python; ours in float64 with variances, the peers in float32."
    ),
    inputs=network_workload.network_rollouts,
    variants=(Variant("64,64", {"count": 1, "horizon": 1, "hidden": (64, 64)}, Work(1, "step")),),
    implementations=(
        Implementation("dynaplan", "bench.ours_networks", "step", (1,), role="ours"),
        Implementation("torch", "bench.peers.torch_networks", "step", (1,)),
        Implementation("jax", "bench.peers.jax_networks", "step", (1,)),
        Implementation("onnxruntime", "bench.peers.onnxruntime_networks", "step", (1,)),
    ),
    targets=(
        Target(
            "microseconds a step",
            lambda results: 1e6 * results.fastest("64,64", "ours").median,
            "<=",
            4.0,
            "us",
        ),
    ),
    seconds=0.2,
)


def bench_network_step(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
