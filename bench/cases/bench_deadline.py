"""Plans under a deadline: how late they are, beside what the machine itself is, and how good."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from bench import planning_workload
from bench.case import Case, Implementation, Target, Variant
from bench.measurements import Results

MILLISECONDS = (1, 2, 5)
LABEL = "dynaplan"


def name_of(milliseconds: int) -> str:
    """Returns a variant's name."""
    return f"{milliseconds} ms"


def fact(milliseconds: int, name: str) -> Callable[[Results], float]:
    """Returns what reads a fact of one deadline."""
    return lambda results: results.fact(name_of(milliseconds), LABEL, name)


def least_gain(results: Results) -> float:
    """The least that the mean return grew by from one deadline to the next."""
    returns = [fact(milliseconds, "mean return")(results) for milliseconds in MILLISECONDS]
    return min(after - before for before, after in itertools.pairwise(returns))


CASE = Case(
    name="deadline",
    summary=(
        "10,000 calls of `MPC.act(state, time_limit=)` with a search that would go on for seconds:"
        " iCEM, 40 sequences an iteration, five networks of Reacher's size as in `icem_budget`, one"
        " thread. After each plan a loop looks at the clock until as much time has passed: how late"
        " it sees its deadline is the machine's own jitter. Late is the time of return less the"
        " deadline. The return is of the first 1,000 plans, over the members' means in float64."
    ),
    inputs=planning_workload.deadlines,
    variants=tuple(Variant(name_of(ms), {"milliseconds": ms}) for ms in MILLISECONDS),
    implementations=(Implementation(LABEL, "bench.ours_planning", "late", (1,), "ours"),),
    targets=(
        *(
            Target(
                f"plans later than {name_of(ms)} + 0.2 ms + the latest spin",
                fact(ms, "plans later than jitter + 0.2 ms"),
                "<=",
                0.0,
            )
            for ms in MILLISECONDS
        ),
        Target("least gain of the mean return by a longer deadline", least_gain, ">=", 0.0),
    ),
)


def bench_deadline(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
