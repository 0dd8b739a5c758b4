"""How long planners take to 90 % and 99 % of the best known value, each at its best settings."""

from __future__ import annotations

from collections.abc import Callable

from bench.case import Case, Implementation, Target, Variant
from bench.measurements import MissingRowError, Results, Row
from bench.quality.measuring import task
from bench.quality.problems import CONTROLLED, EPISODE_STEPS

PENDULUM, CART_POLE, CAR, LINEAR, ENSEMBLE = "pendulum", "cart-pole", "car", "linear", "ensemble"
SECONDS = 5.0  # of climbing, for each implementation, compilation apart
TO_BEST = "ms to 99%"
OF_DEFAULT = "as it comes, %"


def in_closed_loop(name: str) -> str:
    """Returns a variant's name."""
    return f"{name}, {EPISODE_STEPS} steps of control"


SAMPLING = ("dynaplan CEM", "dynaplan ICEM", "dynaplan MPPI", "dynaplan ILQR")
FUNCTIONS = "dynaplan CEM, NumPy functions"
PEERS = {
    "numpy CEM": ("bench.peers.numpy_quality", "cem"),
    "torch CEM": ("bench.peers.torch_quality", "cem"),
    "torch-compile CEM": ("bench.peers.torch_quality", "cem_compiled"),
    "jax CEM": ("bench.peers.jax_quality", "cem"),
    "pytorch-mppi": ("bench.peers.pytorch_mppi_quality", "mppi"),
    "pytorch-icem": ("bench.peers.pytorch_icem_quality", "icem"),
    "mbrl-lib CEM": ("bench.peers.mbrl_quality", "cem"),
    "mbrl-lib ICEM": ("bench.peers.mbrl_quality", "icem"),
}
IN_CLOSED_LOOP = ("torch CEM", "jax CEM", "pytorch-mppi", "pytorch-icem")


def variants() -> tuple[Variant, ...]:
    """Returns the problems, then the two in closed loop.

    Plans of small systems are made with one thread: the second brings their peers nothing.
    """
    small = (*SAMPLING, FUNCTIONS, *PEERS)
    single = [
        Variant(PENDULUM, {"name": PENDULUM}, only=small, threads=(1,)),
        Variant(CART_POLE, {"name": CART_POLE}, only=small, threads=(1,)),
        Variant(CAR, {"name": CAR}, only=small, threads=(1,)),
        Variant(LINEAR, {"name": LINEAR}, only=(*small, "dynaplan LQR"), threads=(1,)),
        Variant(ENSEMBLE, {"name": ENSEMBLE}, only=(*SAMPLING, *PEERS), threads=(2,)),
    ]
    looped = [
        Variant(
            in_closed_loop(name),
            {"name": name, "steps": EPISODE_STEPS},
            only=(*SAMPLING, *IN_CLOSED_LOOP),
            threads=(1,),
        )
        for name in CONTROLLED
    ]
    return (*single, *looped)


def least(rows: list[Row], name: str) -> float:
    """Returns the least of a fact; MissingRowError where no row has it."""
    found = [float(row.facts[name]) for row in rows if name in row.facts]
    if not found:
        raise MissingRowError(f"no row has {name}")
    return min(found)


def speedup(variant: str) -> Callable[[Results], float]:
    """Returns how many times less time ours takes to 99 % than the best peer.

    Where no peer gets there, their slowest rung counts: each would take longer than its own.
    """

    def figure(results: Results) -> float:
        rows = results.rows.get(variant, [])
        peers = [row for row in rows if row.role == "peer"]
        try:
            best = least(peers, TO_BEST)
        except MissingRowError:
            name = "slowest rung, ms"
            slowest = [row.facts[name] for row in peers if name in row.facts]
            if not slowest:
                raise
            best = max(slowest)
        return best / least([row for row in rows if row.role == "ours"], TO_BEST)

    return figure


def best_default(variant: str) -> Callable[[Results], float]:
    """Returns the greatest share that a planner of ours reaches as it comes."""

    def figure(results: Results) -> float:
        rows = results.rows.get(variant, [])
        found = [row.facts[OF_DEFAULT] for row in rows if OF_DEFAULT in row.facts]
        if not found:
            raise MissingRowError(f"no row has {OF_DEFAULT}")
        return float(max(found))

    return figure


def beyond_frontier(variant: str, label: str) -> Callable[[Results], float]:
    """Returns how many times longer a planner takes as it comes than it could."""
    return lambda results: results.fact(variant, label, "as it comes, x its frontier")


CASE = Case(
    name="time_to_quality",
    summary=(
        "Median milliseconds of one plan, or of one step of control, at the fastest setting that"
        " reaches 90 % and 99 % of the best known value; each implementation climbs families of"
        " settings with more and more candidates (`bench/quality/settings.py`). 0 % is the return"
        " of doing nothing, 100 % the best known (`bench/quality/best_known.py`); a share is the"
        " mean over 8 starts, and 3 seeds for single plans, judged in float64. Blank: not reached."
        " *As it comes*: the planner's defaults with the problem's horizon; *x its frontier*: its"
        " milliseconds over those of the planner's fastest setting that is as good. Our dynamics"
        " are compiled by numba, the library's own (linear, ensemble), or NumPy functions."
    ),
    inputs=task,
    variants=variants(),
    implementations=(
        Implementation("dynaplan CEM", "bench.ours_quality", "cem", role="ours"),
        Implementation("dynaplan ICEM", "bench.ours_quality", "icem", role="ours"),
        Implementation("dynaplan MPPI", "bench.ours_quality", "mppi", role="ours"),
        Implementation("dynaplan ILQR", "bench.ours_quality", "ilqr", role="ours"),
        Implementation("dynaplan LQR", "bench.ours_quality", "lqr", role="ours"),
        Implementation(FUNCTIONS, "bench.ours_quality", "cem_functions", role="ours"),
        *(Implementation(label, *where) for label, where in PEERS.items()),
    ),
    targets=tuple(
        Target(f"{variant.name}: times less time to 99 % than the best peer", figure, ">=", 10, "x")
        for variant in variants()
        for figure in (speedup(variant.name),)
    )
    + tuple(
        Target(f"{name}: best share of a planner as it comes", best_default(name), ">=", 99, "%")
        for name in (PENDULUM, CART_POLE, CAR, LINEAR, ENSEMBLE)
    )
    + tuple(
        Target(
            f"{name}: {label} as it comes, over its frontier",
            beyond_frontier(name, label),
            "<=",
            1.5,
            "x",
        )
        for name in (PENDULUM, CART_POLE, CAR, LINEAR, ENSEMBLE)
        for label in SAMPLING
    ),
    seconds=SECONDS,
)


def bench_time_to_quality(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
