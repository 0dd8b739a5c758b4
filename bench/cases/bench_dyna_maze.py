"""Dyna-Q in the Dyna maze: real steps a second, each with 50 imagined ones."""

from __future__ import annotations

from collections.abc import Callable

from bench import maze_workload
from bench.case import Case, Check, Implementation, Target, Variant, Work

MAIN = "50 imagined steps"
STEPS = 2000

CASE = Case(
    name="dyna_maze",
    summary=(
        "Dyna-Q in the 6 x 9 maze of Sutton & Barto 2018, float64, going on from call to call; the"
        " random numbers are each implementation's own. The check is the length of the greedy way"
        " afterwards, 14 at best."
    ),
    inputs=maze_workload.dyna_maze,
    variants=tuple(
        Variant(name, {"planning_steps": planning_steps, "steps": STEPS}, Work(STEPS, "real step"))
        for name, planning_steps in ((MAIN, 50), ("5 imagined steps", 5), ("Q-learning", 0))
    ),
    implementations=(
        Implementation("dynaplan", "bench.ours_mazes", "compiled", (1,), "ours"),
        Implementation("dynaplan from Python", "bench.ours_mazes", "from_python", (1,), "beside"),
        Implementation("python", "bench.peers.python_mazes", "dyna_maze", (1,)),
        Implementation("numba", "bench.peers.numba_mazes", "dyna_maze", (1,)),
    ),
    check=Check("steps to the goal", maze_workload.steps_to_goal, lambda figure: figure <= 16.0),
    targets=(
        Target(
            "times as fast as plain Python",
            lambda results: results.speedup(MAIN, ("python",)),
            ">=",
            50.0,
        ),
        Target(
            "times as fast as numba", lambda results: results.speedup(MAIN, ("numba",)), ">=", 1.5
        ),
        Target(
            "microseconds a real step from Python",
            lambda results: (
                1e6 * results.fastest(MAIN, labels=("dynaplan from Python",)).median / STEPS
            ),
            "<=",
            2.0,
            "us",
        ),
    ),
    seconds=0.3,
)


def bench_dyna_maze(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
