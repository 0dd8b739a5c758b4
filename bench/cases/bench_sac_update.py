"""Updates of soft actor-critic."""

from __future__ import annotations

from collections.abc import Callable

from bench import sac_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.sac_workload import UPDATES, SacUpdates
from bench.workloads import FloatArray

WIDE, SMALL = "(256, 256)", "(64, 64)"
PEERS = ("torch", "torch-compile", "Stable-Baselines3", "SBX")


def variant(name: str, hidden: tuple[int, ...]) -> Variant:
    """Returns one size with its work."""
    flops = UPDATES * sac_workload.update_flops(hidden)
    return Variant(name, {"hidden": hidden}, Work(UPDATES, "update", {"fma_float32": flops}))


def loss(inputs: SacUpdates, answer: FloatArray) -> float:
    """Mean loss of the critics over updates 201 to 250, from new weights."""
    return float(answer[0])


CASE = Case(
    name="sac_update",
    summary=(
        "Updates of soft actor-critic with 17 states, 6 actions, batch 256: two critics with slow"
        " copies, squashed Gaussian actor, learned temperature, Adam, float32. A call is 50"
        " updates, with batches drawn from a replay of 20,000 transitions. Only the products count"
        " as FLOP."
    ),
    inputs=sac_workload.sac_updates,
    variants=(variant(WIDE, (256, 256)), variant(SMALL, (64, 64))),
    implementations=(
        Implementation("dynaplan", "bench.ours_sac", "update", role="ours"),
        Implementation("torch", "bench.peers.torch_sac", "eager"),
        Implementation("torch-compile", "bench.peers.torch_sac", "compiled"),
        Implementation("Stable-Baselines3", "bench.peers.baselines_sac", "sb3"),
        Implementation("SBX", "bench.peers.baselines_sac", "sbx"),
        *limits("fma_float32", "sgemm_torch"),
    ),
    check=Check("critics' loss", loss),
    targets=(
        Target(
            f"times faster than the best peer, {WIDE}",
            lambda results: results.speedup(WIDE, PEERS),
            ">=",
            1.8,
            "x",
        ),
        Target(
            f"times faster than the best peer, {SMALL}",
            lambda results: results.speedup(SMALL, PEERS),
            ">=",
            4.0,
            "x",
        ),
        Target(
            f"share of the FMA peak on two threads, {WIDE}",
            lambda results: results.share_of_limit(WIDE, 2),
            ">=",
            55.0,
            "%",
        ),
    ),
)


def bench_sac_update(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
