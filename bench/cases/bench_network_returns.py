"""Returns of rollouts of one network, reward only."""

from __future__ import annotations

from collections.abc import Callable

from bench import network_workload, workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits
from bench.network_workload import ACTIONS, STATES, NetworkRollouts
from bench.workloads import FloatArray

HORIZON = 30
SHAPES = {"64,64": (64, 64), "200,200,200": (200, 200, 200), "256,256": (256, 256)}
PEERS = ("torch", "torch-compile", "jax", "onnxruntime")
LEAST_SPEEDUP = {"64,64": 3.5, "200,200,200": 1.7, "256,256": 1.6}
LEAST_SHARE = {"64,64": 55.0, "200,200,200": 70.0, "256,256": 70.0}


def name_of(count: int, shape: str) -> str:
    """Returns a variant's name."""
    return f"N={count} {shape}"


def variant(count: int, shape: str, only: tuple[str, ...] = ()) -> Variant:
    """Returns one size with its work."""
    sizes = (STATES + ACTIONS, *SHAPES[shape], STATES)
    steps = count * HORIZON
    flops = float(steps * network_workload.step_flops(sizes))
    parameters = {"count": count, "horizon": HORIZON, "hidden": SHAPES[shape]}
    return Variant(
        name_of(count, shape), parameters, Work(steps, "sample-step", {"fma_float32": flops}), only
    )


def error(inputs: NetworkRollouts, answer: FloatArray) -> float:
    """Largest difference from float64, over the largest return."""
    return workloads.relative_error(answer, network_workload.mean_returns(inputs))


def targets() -> tuple[Target, ...]:
    """Returns the promises of each shape."""
    found = []
    for shape in SHAPES:
        main = name_of(2048, shape)
        found += [
            Target(
                f"times faster than the best peer, {main}",
                lambda results, main=main: results.speedup(main, PEERS),  # type: ignore[misc]
                ">=",
                LEAST_SPEEDUP[shape],
                "x",
            ),
            Target(
                f"share of the float32 FMA peak, {main}, 2 threads",
                lambda results, main=main: results.share_of_limit(main, threads=2),  # type: ignore[misc]
                ">=",
                LEAST_SHARE[shape],
                "%",
            ),
        ]
    small = name_of(64, "64,64")
    found.append(
        Target(
            f"times faster than the best peer, {small}",
            lambda results: results.speedup(small, PEERS),
            ">=",
            5.0,
            "x",
        )
    )
    return tuple(found)


CASE = Case(
    name="network_returns",
    summary=(
        "Returns of 2,048 rollouts of a SiLU network (17 states, 6 actions) over 30 steps, float32,"
        " each rollout from its own start; a step earns minus the square of the next state. Only"
        " the products count as FLOP. Neighbouring and small counts show what is special to none."
    ),
    inputs=network_workload.network_rollouts,
    variants=(
        *(variant(2048, shape) for shape in SHAPES),
        *(variant(count, "64,64", ("dynaplan",)) for count in (2000, 2049)),
        *(variant(count, "64,64") for count in (64, 1)),
        variant(64, "200,200,200"),
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours_networks", "returns", role="ours"),
        Implementation("torch", "bench.peers.torch_networks", "returns"),
        Implementation("torch-compile", "bench.peers.torch_networks", "returns_compiled"),
        Implementation("jax", "bench.peers.jax_networks", "returns"),
        Implementation("onnxruntime", "bench.peers.onnxruntime_networks", "returns"),
        *limits("fma_float32", "sgemm_torch"),
    ),
    check=Check("error", error, lambda figure: figure < 1e-3),  # 30 float32 steps give 1e-5
    targets=targets(),
)


def bench_network_returns(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
