"""The command `mbpo`: learn a policy, mostly from imagined transitions."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from dynaplan._environments import boxes
from dynaplan._version import __version__
from dynaplan.commands import episodes
from dynaplan.commands.environments import opened
from dynaplan.commands.progress import progress_bar
from dynaplan.commands.refusals import refusing
from dynaplan.errors import ArgumentError, ModelFileError
from dynaplan.loops.dyna_iteration import DynaIteration
from dynaplan.loops.mbpo import MBPO
from dynaplan.reports import tables
from dynaplan.rewards.terms import Reward
from dynaplan.tasks import terminal_values
from dynaplan.tasks.rewards import for_env as reward_for_env
from dynaplan.tasks.terminations import for_env as termination_for_env
from dynaplan.terminations.terms import Termination

__all__ = ["STEPS", "run"]

STEPS = 1000
_MAX_RANDOM_STEPS = 100
_MAX_ROWS = 20  # of the table, so that it fits a screen

_LEGEND = """\
Error: of the model, median one step ahead on unseen data, in %
of the spread of the data. Length: imagined steps from each real
state; 0: no trust.
"""

_RARE = """\
It pays nothing on the way to its goal, which a policy that learns from rewards
finds by chance, if at all; the command pets plans towards it."""


def run(options: argparse.Namespace, console: Console) -> None:
    """Runs the command.

    Args:
        options: from the parser.
        console: what is printed to.

    Raises:
        RefusalError: the request cannot be met.
    """
    with opened(options.env, boxes) as env:
        with refusing(f"--env {options.env}", TypeError, ValueError):
            mbpo, known = _loop(env, options)
        checkpoint = f"--checkpoint {options.checkpoint}"
        if options.checkpoint:
            with refusing(checkpoint, OSError, ModelFileError):
                _resume(mbpo, Path(options.checkpoint))
        console.print(
            f"dynaplan {__version__}: MBPO, {options.env}, seed {mbpo.seed}", style="bold"
        )
        console.print(known)
        if terminal_values.for_env(env) is not None:
            console.print(_RARE)
        if mbpo.steps:
            console.print(f"Resumed after {tables.steps(mbpo.steps)}")
        console.print(_LEGEND, soft_wrap=True)
        try:
            _learn(mbpo, options, console)
        finally:
            if options.checkpoint:
                with refusing(checkpoint, OSError):
                    mbpo.save(options.checkpoint)
                console.print(f"Checkpoint: {options.checkpoint}\n", soft_wrap=True)
        played = [
            episodes.compared_episode(
                env, lambda state: mbpo.agent.act(state, deterministic=True), 1000 + index
            )
            for index in range(episodes.EPISODES)
        ]
        console.print(tables.return_table(played, "policy"))


def _loop(env: Any, options: argparse.Namespace) -> tuple[MBPO, str]:
    """Returns the loop and a line of text on which formulas of the environment it uses."""
    reward: Reward | None = None
    termination: Termination | None = None
    known = "Reward: learned; imagined rollouts do not terminate"
    with suppress(ArgumentError):
        reward, termination = reward_for_env(env), termination_for_env(env)
        known = "Reward and termination: known in closed form"
    loop = MBPO(
        env,
        updates_per_step=options.imagined,
        reward=reward,
        termination=termination,
        random_steps=max(2, min(_MAX_RANDOM_STEPS, options.steps // 2)),
        seed=options.seed,
        threads=options.threads,
    )
    return loop, known


def _resume(mbpo: MBPO, path: Path) -> None:
    """Restores a checkpoint if it exists, after a trial that one can be written."""
    tempfile.TemporaryFile(dir=path.parent).close()
    if path.exists():
        mbpo.restore(path)


def _learn(mbpo: MBPO, options: argparse.Namespace, console: Console) -> None:
    """Runs the loop to its end, with at most `_MAX_ROWS` rows on the console."""
    steps, first = options.steps, mbpo.steps
    every = max(1, steps // _MAX_ROWS)
    since: list[DynaIteration] = []
    console.print(tables.DYNA_HEADING)
    logs = [f"--{n} {getattr(options, n)}" for n in ("csv", "tensorboard") if getattr(options, n)]
    with progress_bar(console) as show, refusing(", ".join(logs), OSError, ImportError):
        show("Learning", 0.0)
        printed = first
        for it in mbpo.run(steps, csv=options.csv, tensorboard=options.tensorboard):
            since.append(it)
            show("Learning", (it.steps - first) / steps)
            if it.steps - printed >= every or it.steps == first + steps:
                console.print(tables.dyna_line(since))
                since, printed = [], it.steps
    if mbpo.steps < first + steps:  # a fit was interrupted, which ends the loop
        raise KeyboardInterrupt
    console.print()
