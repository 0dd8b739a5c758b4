"""Training steps of an ensemble of probabilistic networks."""

from __future__ import annotations

from collections.abc import Callable

from bench import training_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.training_workload import STEPS, NetworkTraining
from bench.workloads import FloatArray

WIDE, SMALL = "5 x (200 x 4)", "5 x (64 x 2)"
PEERS = ("torch", "torch-compile", "torch vmap", "jax")


def variant(name: str, hidden: tuple[int, ...]) -> Variant:
    """Returns one size with its work."""
    sizes = (23, *hidden, 34)
    flops = STEPS * training_workload.step_flops(sizes, 5)
    return Variant(name, {"hidden": hidden}, Work(STEPS, "step", {"fma_float32": flops}))


def loss(inputs: NetworkTraining, answer: FloatArray) -> float:
    """Mean loss over the fifth epoch, from new weights."""
    return float(answer[0])


CASE = Case(
    name="network_training",
    summary=(
        "Training steps of five networks with 23 inputs, 17 means and 17 log-variances, batch 256,"
        " Gaussian likelihood with learned bounds, AdamW, float32. A call is 50 steps over 2,560"
        " rows, each member in an order of its own; ours is a whole `Ensemble.fit`, with scaling"
        " and first weights, the peers go on with standardised data from call to call. Every"
        " member's work counts; only the products count as FLOP."
    ),
    inputs=training_workload.network_training,
    variants=(variant(WIDE, (200,) * 4), variant(SMALL, (64, 64))),
    implementations=(
        Implementation("dynaplan", "bench.ours_training", "fit", role="ours"),
        Implementation("torch", "bench.peers.torch_training", "eager"),
        Implementation("torch-compile", "bench.peers.torch_training", "compiled"),
        Implementation("torch vmap", "bench.peers.torch_training", "vmap"),
        Implementation("jax", "bench.peers.jax_training", "training"),
        *limits("fma_float32", "sgemm_torch"),
    ),
    check=Check("loss of epoch 5", loss),
    targets=(
        Target(
            f"times faster than the best peer, {WIDE}",
            lambda results: results.speedup(WIDE, PEERS),
            ">=",
            1.5,
            "x",
        ),
        Target(
            f"times faster than the best peer, {SMALL}",
            lambda results: results.speedup(SMALL, PEERS),
            ">=",
            4.0,
            "x",
        ),
    ),
)


def bench_network_training(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
