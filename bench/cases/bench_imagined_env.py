"""A learned model as a vector environment: a step of one, of some, of many environments."""

from __future__ import annotations

from collections.abc import Callable

from bench import imagined_env_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.imagined_env_workload import EPISODE_STEPS, ImaginedEnv
from bench.measurements import Results
from bench.workloads import FloatArray

COUNTS = (1, 64, 4096)
PEERS = ("numpy", "torch")


def variant(count: int) -> str:
    """Name of the variant of so many environments."""
    return f"{count:,} environments"


def mean_reward(inputs: ImaginedEnv, answer: FloatArray) -> float:
    """Mean reward of two episodes."""
    return float(answer.mean())


def times_faster(count: int) -> Callable[[Results], float]:
    """Returns what reads the speedup of so many environments off the results."""
    return lambda results: results.speedup(variant(count), PEERS)


CASE = Case(
    name="imagined_env",
    summary=(
        "A step of a vector environment of a learned model (17 states, 6 actions): for each"
        " environment one of five elites of seven probabilistic networks 2x64 draws the next state,"
        f" a quadratic reward is paid, episodes of {EPISODE_STEPS} steps begin anew. Actions are"
        " given. torch deals environments out to the elites in equal shares, the others draw. Only"
        " the products count as FLOP."
    ),
    inputs=imagined_env_workload.imagined_env,
    variants=tuple(
        Variant(
            variant(count),
            {"count": count},
            Work(
                count,
                "step",
                {"fma_float32": float(count * imagined_env_workload.env_step_flops())},
            ),
        )
        for count in COUNTS
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours_imagined_env", "step", role="ours"),
        Implementation("numpy", "bench.peers.numpy_imagined_env", "step"),
        Implementation("torch", "bench.peers.torch_imagined_env", "step"),
        *limits("fma_float32"),
    ),
    check=Check("mean reward", mean_reward),
    targets=tuple(
        Target(
            f"times faster than the best peer, {variant(count)}",
            times_faster(count),
            ">=",
            2.0,
            "x",
        )
        for count in COUNTS
    ),
)


def bench_imagined_env(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
