"""The default command: learn from random steps by least squares, check the model, control with it.

Everything that is computed here takes about ten lines of Python; the command shows what to expect
of them on one's own machine.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

from rich.console import Console

from dynaplan.commands import pets
from dynaplan.commands.planning import HORIZON, Learned, learn_and_control, print_title
from dynaplan.commands.progress import Show
from dynaplan.commands.refusals import RefusalError
from dynaplan.control.mpc import MPC
from dynaplan.data.collection import collect
from dynaplan.data.transitions import Transitions
from dynaplan.errors import RankDeficientWarning
from dynaplan.models.linear.features import Polynomial
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.planners.cem import CEM
from dynaplan.reports import tables
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.evaluation import Evaluation, evaluate

__all__ = ["ENVIRONMENT", "STEPS", "run"]

# The environment for which a fixed set of random transitions is enough.
ENVIRONMENT = "Pendulum-v1"
STEPS = 200
# Two episodes of four, as of one nobody knows how sure the check is. What plans learns from all.
_HELD_OUT = 0.5
_CHECKED_STEPS = 50


def run(options: argparse.Namespace, console: Console) -> None:
    """Runs the command; environments other than `ENVIRONMENT` are learned as by `pets`.

    Args:
        options: from the parser.
        console: what is printed to.

    Raises:
        RefusalError: the request cannot be met.
    """
    if options.env == ENVIRONMENT:
        learn_and_control(_learn, options, console)
    else:
        pets.run(options, console)


def _learn(
    env: Any, reward: Reward, options: argparse.Namespace, console: Console, show: Show
) -> Learned:
    """Learns from random transitions alone."""
    steps = options.steps or STEPS
    show("Collecting", 0.0)
    # Four episodes at least, so that two can be held out whole.
    max_episode_steps = min(_CHECKED_STEPS, max(1, steps // 4))
    data = collect(env, steps, seed=options.seed, episode_steps=max_episode_steps)
    show("Fitting and checking", 0.5)
    model, check = _fit_and_check(data, options, console)
    planner = CEM(horizon=options.horizon or HORIZON)
    # How far the few steps reach is told by the evaluation before, and by the return after.
    mpc = MPC(
        model,
        reward,
        planner,
        action_space=env.action_space,
        trust="ignore",
        seed=options.seed,
    )
    return Learned(model, check, mpc)


def _fit_and_check(
    data: Transitions, options: argparse.Namespace, console: Console
) -> tuple[LinearGaussian, Evaluation]:
    """Fits on a part of the data, checks on the rest, and returns the model of all."""
    train, held_out = data.split(_HELD_OUT, seed=options.seed)
    start = time.perf_counter()
    model = _fit(train)
    seconds = time.perf_counter() - start
    if len(train) <= model.columns:
        raise RefusalError(
            f"--steps {len(data)}: {len(train)} transitions do not determine {model.columns} "
            f"coefficients per state; use at least {4 * (model.columns // 2 + 1)}"
        )
    check = evaluate(model, held_out, horizon=_CHECKED_STEPS)
    print_title(options, console)
    console.print(f"Data: {len(data)} transitions, {len(held_out)} of them held out")
    console.print(
        f"Model: least squares on quadratic features, {model.coefficients.size} coefficients, "
        f"fitted in {1e3 * seconds:.1f} ms\n"
    )
    console.print(tables.check_table(check))
    console.print(tables.one_step_line(check))
    console.print(tables.trust_line(check))
    for line in tables.remark_lines(check):
        console.print(line)
    console.print()
    return model.updated(held_out), check


def _fit(train: Transitions) -> LinearGaussian:
    with warnings.catch_warnings():
        # The squares of a cosine and a sine add up to the intercept: harmless, and the rule here.
        warnings.simplefilter("ignore", RankDeficientWarning)
        return LinearGaussian.fit(train, features=Polynomial(2))
