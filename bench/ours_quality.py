"""dynaplan searches for good plans, on systems of its own, compiled, or written in NumPy.

Each planner is also tried as it comes, with the problem's horizon alone: how much longer that
takes than the fastest of its settings that is as good shows how good its defaults are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.quality.matrix_problems import ENSEMBLE_FILE, LearnedEnsemble, Linear
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import (
    OF_ICEM,
    PATH_INTEGRAL,
    WHITE,
    CrossEntropy,
    Family,
    PathIntegral,
)
from bench.workloads import FloatArray

Parts = tuple[Any, Any]  # a model and a reward


@dataclass(frozen=True)
class Given:
    """A planner as it is, as a rung."""

    planner: dp.Planner
    text: str
    work: float

    def __str__(self) -> str:
        return self.text


class Controlled:
    """A `Searcher`: `MPC.act`, reset before each start."""

    def __init__(self, problem: Problem, parts: Parts, planner: dp.Planner) -> None:
        space = (-problem.half_range, problem.half_range)
        # One for each seed, since a controller keeps its memory when it is reset.
        self.controller_of = cache(
            lambda seed: dp.MPC(*parts, planner, action_space=space, seed=seed)
        )
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        self.controller = self.controller_of(seed)
        self.controller.reset()

    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        self.controller.act(state)
        plan = self.controller.last_plan
        assert plan is not None
        return plan.actions


def native_parts(problem: Problem) -> Parts:
    """Returns model and reward: the library's own where it has them, else compiled by numba."""
    if isinstance(problem, Linear):
        system = problem.system
        reward = dp.rewards.quadratic(problem.state_weights)
        reward += dp.rewards.action_cost(problem.action_weights)
        return dp.LinearModel(system.A, system.B, system.c), reward
    if isinstance(problem, LearnedEnsemble):
        reward = dp.rewards.quadratic([1.0, 1.0, 0.1], [1.0, 0.0, 0.0])
        return dp.load(ENSEMBLE_FILE), reward + dp.rewards.action_cost([0.001])
    from bench import ours_quality_compiled as compiled

    return compiled.parts(problem)


def function_parts(problem: Problem) -> Parts:
    """Returns a model and a reward that are NumPy functions on batches: those of the judge."""

    def step(states: FloatArray, actions: FloatArray) -> FloatArray:
        moved: FloatArray = problem.step(np, problem.constants, states, actions)
        return moved

    def reward(_states: FloatArray, actions: FloatArray, following: FloatArray) -> FloatArray:
        earned: FloatArray = problem.reward(np, problem.constants, following, actions)
        return earned

    states = problem.starts("development").shape[1]
    return dp.FunctionModel(step, states, problem.action_dim), reward


def prepared(
    task: Task,
    parts: Parts,
    default: dp.Planner,
    planner_of: Callable[[Any], dp.Planner],
    families: Sequence[Family[Any]],
) -> Prepared:
    """Returns a turn that tries a planner as it comes and then climbs its ladder."""
    shared: dict[str, Any] = {"horizon": task.problem.horizon, "threads": default.threads}
    if not isinstance(default, dp.LQR):  # which never clips
        shared["clip"] = None

    def searcher(setting: Any) -> Controlled:
        planner = setting.planner if isinstance(setting, Given) else planner_of(setting)
        return Controlled(task.problem, parts, replace(planner, **shared))

    return task.prepared(searcher, families, "MPC.act", Given(default, "as it comes", work=0.0))


def cem(task: Task, threads: int) -> Prepared:
    """`dp.CEM`."""
    return cem_of(task, native_parts(task.problem), threads)


def cem_functions(task: Task, threads: int) -> Prepared:
    """`dp.CEM` with NumPy functions."""
    return cem_of(task, function_parts(task.problem), threads)


def cem_of(task: Task, parts: Parts, threads: int) -> Prepared:
    """Climbs the ladder of the cross-entropy method."""

    def planner(setting: CrossEntropy) -> dp.CEM:
        return dp.CEM(**settings_of(setting))

    return prepared(task, parts, dp.CEM(threads=threads), planner, WHITE)


def settings_of(setting: CrossEntropy) -> dict[str, Any]:
    """Returns what `dp.CEM` and `dp.ICEM` have in common."""
    return {
        "candidates": setting.candidates,
        "elites": setting.elites,
        "iterations": setting.iterations,
        "smoothing": setting.smoothing,
        "initial_std": setting.initial_std,
        "min_std": setting.min_std,
    }


def icem(task: Task, threads: int) -> Prepared:
    """`dp.ICEM`."""

    def planner(setting: CrossEntropy) -> dp.ICEM:
        return dp.ICEM(**settings_of(setting), noise_exponent=setting.noise_exponent)

    parts = native_parts(task.problem)
    return prepared(task, parts, dp.ICEM(threads=threads), planner, OF_ICEM)


def mppi(task: Task, threads: int) -> Prepared:
    """`dp.MPPI`."""

    def planner(setting: PathIntegral) -> dp.MPPI:
        return dp.MPPI(
            candidates=setting.candidates,
            iterations=setting.iterations,
            initial_std=setting.std,
            std_decay=setting.std_decay,
            temperature=setting.temperature,
            knots=setting.knots,
        )

    parts = native_parts(task.problem)
    return prepared(task, parts, dp.MPPI(threads=threads), planner, PATH_INTEGRAL)


ILQR_ITERATIONS = (2, 5, 10, 20, 50)
SEARCHED = (32, 64, 128, 256, 512, 1024)  # candidates of the search whose plan is improved


def starts_of_ilqr(candidates: int) -> dict[str, dp.Planner]:
    """Returns searches whose plans iLQR improves, by their names."""
    elites = max(4, candidates // 10)
    wide = dp.ICEM(candidates=candidates, elites=elites, noise_exponent=3.0, initial_std=1.0)
    return {
        "ICEM": dp.ICEM(candidates=candidates, elites=elites),
        "ICEM, noise 3, std 1": wide,
        "MPPI, std 1, 8 knots": dp.MPPI(
            candidates=candidates, iterations=3, initial_std=1.0, knots=8
        ),
    }


def ilqr(task: Task, threads: int) -> Prepared:
    """`dp.ILQR` alone, and from plans of searches with three iterations."""
    alone = tuple(
        Given(dp.ILQR(iterations=count), f"{count} iterations", 50.0 * count)
        for count in ILQR_ITERATIONS
    )
    searched = tuple(
        Family(
            tuple(
                Given(
                    dp.ILQR(start=starts_of_ilqr(count)[name]),
                    f"from {name}, 3 x {count}",
                    2500.0 + 3 * count,
                )
                for count in SEARCHED
            )
        )
        for name in starts_of_ilqr(32)
    )
    return prepared(
        task,
        native_parts(task.problem),
        dp.ILQR(threads=threads),
        lambda given: given,
        (Family(alone), *searched),
    )


def lqr(task: Task, threads: int) -> Prepared:
    """`dp.LQR`, which has no settings to try."""
    planner = dp.LQR(threads=threads)
    return prepared(task, native_parts(task.problem), planner, lambda given: given, ())
