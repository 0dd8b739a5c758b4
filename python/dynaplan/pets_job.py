"""What the command does with any environment but Pendulum-v1: learn it while controlling it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import comb
from typing import Any

from rich.console import Console

from dynaplan import report, terminations
from dynaplan._known import identify
from dynaplan.dyna import PETS, Iteration
from dynaplan.envs import boxes
from dynaplan.errors import RankDeficientWarning
from dynaplan.features import Identity, Polynomial
from dynaplan.models import LinearGaussian
from dynaplan.planners import CEM
from dynaplan.rewards import Reward
from dynaplan.transitions import Transitions

__all__ = ["learn_by_control", "loop_for", "planner_for"]

# Rows for each coefficient from which quadratic features are worth their columns.
_ROWS_PER_COLUMN = 2


def planner_for(env: Any, horizon: int) -> CEM:
    """Returns a search small enough to plan at each step of a thousand.

    Args:
        env: the environment.
        horizon: steps to plan ahead.
    """
    # A position that only grows must be let grow beyond the data.
    clip = None if identify(env).observes_position else 2.0
    return CEM(horizon=horizon, candidates=150, elites=15, iterations=4, clip=clip)


def loop_for(env: Any, reward: Reward, planner: CEM, *, steps: int, seed: int) -> PETS:
    """Returns the loop for a known environment.

    Args:
        env: the environment.
        reward: its reward.
        planner: settings of the search.
        steps: real steps there will be; at most half of them, and at most 100, are random.
        seed: of everything.

    Raises:
        TypeError: the environment's spaces are not Boxes.
        ShapeError: they are not 1-D.
    """
    boxes(env)
    return PETS(
        env,
        learn=_learn,
        reward=reward,
        planner=planner,
        termination=terminations.for_env(env),
        random_steps=min(100, steps // 2),
        seed=seed,
    )


def learn_by_control(
    pets: PETS, steps: int, console: Console, show: Callable[[str, int], None]
) -> Iteration:
    """Runs the loop to its end, with a row on the console for each episode.

    Args:
        pets: the loop.
        steps: real steps in all.
        console: where the rows go.
        show: called with what is being done and the real steps so far.

    Returns:
        The last iteration, whose model has learned from all steps.
    """
    console.print(report.ITERATION_HEADING)
    show("Random steps", 0)
    for iteration in pets.run(steps):
        console.print(report.iteration_line(iteration))
        show(f"Learning, episode {iteration.episode + 1}", iteration.steps)
    console.print()
    return iteration


def _learn(data: Transitions, _: LinearGaussian | None) -> LinearGaussian:
    columns = comb(data.state_dim + data.action_dim + 2, 2)  # of quadratic features, with constant
    enough = len(data) >= _ROWS_PER_COLUMN * columns
    with warnings.catch_warnings():
        # Cosines, sines and what is constant in an episode are not independent: harmless here.
        warnings.simplefilter("ignore", RankDeficientWarning)
        return LinearGaussian.fit(data, features=Polynomial(2) if enough else Identity())
