"""The command `pets`: learn a model of the environment while controlling it."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console

from dynaplan.commands.planning import HORIZON, Learned, learn_and_control, print_title
from dynaplan.commands.progress import Show
from dynaplan.loops.pets import PETS
from dynaplan.loops.presets import pets_cpu
from dynaplan.reports import tables
from dynaplan.rewards.terms import Reward
from dynaplan.tasks import terminal_values
from dynaplan.tasks.environment import identify
from dynaplan.tasks.terminal_values import TerminalValue
from dynaplan.tasks.terminations import for_env as termination_for_env

__all__ = ["STEPS", "run"]

STEPS = 1000
_MAX_RANDOM_STEPS = 50


def run(options: argparse.Namespace, console: Console) -> None:
    """Runs the command.

    Args:
        options: from the parser.
        console: what is printed to.

    Raises:
        RefusalError: the request cannot be met.
    """
    learn_and_control(_learn, options, console)


def _learn(
    env: Any, reward: Reward, options: argparse.Namespace, console: Console, show: Show
) -> Learned:
    """Runs the loop to its end, with a row on the console for each episode."""
    steps = options.steps or STEPS
    beyond = terminal_values.for_env(env)
    pets = _loop(env, reward, steps, options, beyond)
    print_title(options, console)
    if beyond is not None:
        console.print(
            "Besides the reward, a plan counts what its last state is worth by a rule of\n"
            f"thumb for this environment: {beyond.text}.\n"
        )
    console.print(tables.PETS_HEADING)
    show("Random steps", 0.0)
    for iteration in pets.run(steps):
        console.print(tables.pets_line(iteration))
        show(f"Learning, episode {iteration.episode + 1}", iteration.steps / steps)
    if iteration.steps < steps:  # a fit was interrupted, which ends the loop
        raise KeyboardInterrupt
    console.print()
    # At least one episode was controlled, so that there is an evaluation.
    assert iteration.evaluation is not None
    return Learned(iteration.model, iteration.evaluation, pets.controller(iteration.model))


def _loop(
    env: Any,
    reward: Reward,
    steps: int,
    options: argparse.Namespace,
    beyond: TerminalValue | None,
) -> PETS:
    return pets_cpu(
        env,
        reward=reward,
        termination=termination_for_env(env),
        terminal_value=None if beyond is None else beyond.function,
        horizon=options.horizon or (beyond and beyond.horizon) or HORIZON,
        # A position may grow beyond the data.
        clip=None if identify(env).observes_position else 2.0,
        random_steps=min(_MAX_RANDOM_STEPS, steps // 2),
        seed=options.seed,
    )
