"""Tasks of the case: plans from single states, and control in closed loop, timed and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bench.case import Prepared
from bench.quality.ladder import SEEDS, SHARES, Ladder, Searcher
from bench.quality.matrix_problems import problem
from bench.quality.problems import EPISODES, MEASURED, Problem
from bench.quality.settings import Family, Setting
from bench.quality.shares import Scale
from bench.workloads import FloatArray

HOPELESS = SHARES[0] - 0.05  # further seeds would not change such a mean by so much
ENOUGH_SECONDS = 2.0
Measured = tuple[list[float], list[float]]  # seconds and shares


@dataclass(frozen=True)
class Task:
    """What is asked of a planner.

    Attributes:
        name: of the problem.
        steps: of control in closed loop; 0 asks for single plans.
        which: starts of the record (`measured`), or for trials (`development`).
    """

    name: str
    steps: int = 0
    which: str = MEASURED

    @cached_property
    def problem(self) -> Problem:
        """The problem."""
        return problem(self.name)

    @cached_property
    def starts(self) -> FloatArray:
        """(8, S) states."""
        return self.problem.starts(self.which)

    def measure(self, searcher: Searcher) -> Measured:
        """Returns the seconds of each plan, and the share of each plan or episode."""
        return self.episodes(searcher) if self.steps else self.plans(searcher)

    def plans(self, searcher: Searcher) -> Measured:
        """Plans from all starts with all seeds; fewer seeds where it is hopeless or takes long."""
        scale = Scale.of(self.problem, self.which, self.problem.horizon)
        seconds: list[float] = []
        shares: list[float] = []
        for seed in range(SEEDS):
            plans = []
            for start in self.starts:
                searcher.reset(seed)
                before = time.perf_counter()
                plan = searcher.plan(start)
                seconds.append(time.perf_counter() - before)
                plans.append(np.array(plan))
            values = self.problem.judged(self.starts, np.stack(plans))
            shares += [scale.share(number, value) for number, value in enumerate(values)]
            if np.mean(shares) < HOPELESS or sum(seconds) > ENOUGH_SECONDS:
                break
        return seconds, shares

    def episodes(self, searcher: Searcher) -> Measured:
        """Controls the problem itself from the first starts, a plan at every step."""
        scale = Scale.of(self.problem, self.which, self.steps)
        seconds: list[float] = []
        shares: list[float] = []
        for number, start in enumerate(self.starts[:EPISODES]):
            searcher.reset(number)
            state, value = start, 0.0
            for _ in range(self.steps):
                before = time.perf_counter()
                plan = searcher.plan(state)
                seconds.append(time.perf_counter() - before)
                state, reward = self.problem.stepped(state, np.asarray(plan)[0])
                value += reward
            shares.append(scale.share(number, value))
        return seconds, shares

    def prepared(
        self,
        searcher_of: Callable[[Any], Searcher],
        families: Sequence[Family[Any]],
        note: str,
        default: Setting | None = None,
    ) -> Prepared:
        """Returns a turn that climbs the ladder of one implementation.

        Args:
            searcher_of: makes a searcher of a setting.
            families: to climb.
            note: of the row.
            default: what is tried first and shown beside the fastest.
        """

        def warm(setting: Setting) -> Searcher:
            searcher = searcher_of(setting)
            searcher.reset(0)
            searcher.plan(self.starts[0])
            return searcher

        def run(seconds: float) -> dict[str, Any]:
            ladder = Ladder(warm, self.measure)
            trial = None if default is None else ladder.tried(default)
            ladder.climb(families, seconds)
            return ladder.facts(trial)

        return Prepared(run=lambda: run(np.inf), within=run, reports="facts", note=note)


def task(name: str, steps: int = 0, which: str = MEASURED) -> Task:
    """Returns the inputs of a variant."""
    return Task(name, steps, which)


def for_trials(inputs: Task) -> Task:
    """Returns the same task from the development starts."""
    return replace(inputs, which="development")
