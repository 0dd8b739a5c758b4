"""Returns of many linear rollouts, reward only."""

from __future__ import annotations

from collections.abc import Callable

from bench import workloads
from bench.case import Case, Check, Implementation, Target, Variant, Work, limits

HORIZON = 50
MAIN = "N=16384 (17,6) H=50"
STEP_BY_STEP = ("numpy", "torch", "jax", "numba", "numba tiles")
NEIGHBOURS = ("dynaplan", "numpy condensed", "torch")


def step_flops(state_dim: int, action_dim: int) -> int:
    """FLOPs of a step, counted as dense: `A x + B u + c`, `x' (W x)`, `u' (R u)`."""
    dynamics = 2 * state_dim * (state_dim + action_dim) + state_dim
    of_state = 2 * state_dim * state_dim + 2 * state_dim
    of_action = 2 * action_dim * action_dim + 2 * action_dim
    return dynamics + of_state + of_action


def variant(
    name: str, count: int, state_dim: int, action_dim: int, only: tuple[str, ...]
) -> Variant:
    """Returns one size with its work."""
    steps = count * HORIZON
    return Variant(
        name,
        {"count": count, "horizon": HORIZON, "state_dim": state_dim, "action_dim": action_dim},
        Work(
            steps,
            "sample-step",
            {
                "fma_float32": float(steps * step_flops(state_dim, action_dim)),
                "memory_read": 4.0 * (steps * action_dim + count * state_dim),
            },
        ),
        only,
    )


def error(inputs: workloads.LinearRollouts, answer: workloads.FloatArray) -> float:
    """Largest difference from float64, over the largest return."""
    weights = (inputs.state_weights, inputs.action_weights)
    reference = workloads.linear_returns(inputs.system, inputs.states, inputs.actions, *weights)
    return workloads.relative_error(answer, reference)


CASE = Case(
    name="linear_returns",
    summary=(
        "Returns of 16,384 rollouts of a linear model over 50 steps, float32, dense quadratic"
        " reward of next state and action, each rollout from its own start; a step counts"
        " 2 S (S + A) + S + 2 S S + 2 S + 2 A A + 2 A FLOP. Neighbouring sizes show that none is"
        " special."
    ),
    inputs=workloads.linear_rollouts,
    variants=(
        variant(MAIN, 16384, 17, 6, ()),
        variant("N=16383 (17,6) H=50", 16383, 17, 6, NEIGHBOURS),
        variant("N=16385 (17,6) H=50", 16385, 17, 6, NEIGHBOURS),
        variant("N=16384 (16,5) H=50", 16384, 16, 5, NEIGHBOURS),
        variant("N=16384 (18,7) H=50", 16384, 18, 7, NEIGHBOURS),
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours", "linear_returns", role="ours"),
        Implementation("numpy", "bench.peers.numpy", "linear_returns"),
        Implementation("numpy condensed", "bench.peers.numpy", "linear_returns_condensed"),
        Implementation("torch", "bench.peers.torch", "linear_returns"),
        # Not torch.compile: it works on the unrolled horizon for minutes, per thread count.
        Implementation("jax", "bench.peers.jax", "linear_returns"),
        Implementation("numba", "bench.peers.numba", "linear_returns"),
        Implementation("numba tiles", "bench.peers.numba", "linear_returns_tiled"),
        *limits("fma_float32", "memory_read", "sgemm_numpy", "sgemm_torch"),
    ),
    check=Check("error", error, lambda figure: figure < 1e-4),  # 50 float32 steps give 3e-7
    targets=(
        Target(
            "times faster than the best step-by-step peer",
            lambda results: results.speedup(MAIN, STEP_BY_STEP),
            ">=",
            10.0,
            "x",
        ),
        Target(
            "times faster than NumPy's condensed form",
            lambda results: results.speedup(MAIN, ("numpy condensed",)),
            ">=",
            4.0,
            "x",
        ),
        Target(
            "share of the float32 FMA peak, 2 threads",
            lambda results: results.share_of_limit(MAIN, threads=2),
            ">=",
            40.0,
            "%",
        ),
    ),
)


def bench_linear_returns(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
