"""What the command does with any environment but Pendulum-v1: learn it while controlling it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console

from dynaplan._spaces import boxes
from dynaplan.loops.pets import PETS, Iteration
from dynaplan.loops.presets import pets_cpu
from dynaplan.reports import report
from dynaplan.rewards.terms import Reward
from dynaplan.tasks.environment import identify
from dynaplan.tasks.terminations import for_env as termination_for_env

__all__ = ["learn_by_control", "loop_for"]


def loop_for(env: Any, reward: Reward, *, steps: int, horizon: int, seed: int) -> PETS:
    """Returns the loop for a known environment.

    Args:
        env: the environment.
        reward: its reward.
        steps: real steps there will be; at most half of them, and at most 50, are random.
        horizon: steps to plan ahead.
        seed: of everything.

    Raises:
        TypeError: the environment's spaces are not Boxes.
        ShapeError: they are not 1-D.
    """
    boxes(env)
    return pets_cpu(
        env,
        reward=reward,
        termination=termination_for_env(env),
        horizon=horizon,
        # A position that only grows must be let grow beyond the data.
        clip=None if identify(env).observes_position else 2.0,
        random_steps=min(50, steps // 2),
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
