"""What the commands that plan have in common: after learning, control, tables and a picture."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from dynaplan._version import __version__
from dynaplan.commands import episodes
from dynaplan.commands.environments import known_reward, opened
from dynaplan.commands.progress import Show, progress_bar
from dynaplan.commands.refusals import refusing
from dynaplan.control.mpc import MPC
from dynaplan.models.interface import Model
from dynaplan.planners.cem import CEM
from dynaplan.reports import pictures, tables
from dynaplan.reports.episode import ComparedEpisode
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.evaluation import Evaluation
from dynaplan.rollouts.rollout import rollout

__all__ = ["HORIZON", "Learn", "Learned", "learn_and_control", "print_title"]

HORIZON = CEM().horizon
# Length of the predictions in the picture: a second of Pendulum-v1.
_PREDICTED_STEPS = 20


@dataclass(frozen=True)
class Learned:
    """What learning leaves.

    Attributes:
        model: learned from all real steps.
        check: of a model on steps that it had not seen.
        mpc: plans with `model`.
    """

    model: Model
    check: Evaluation
    mpc: MPC


# From the environment, its reward, the options, the console and the progress bar.
Learn: TypeAlias = Callable[[Any, Reward, argparse.Namespace, Console, Show], Learned]


def learn_and_control(learn: Learn, options: argparse.Namespace, console: Console) -> None:
    """Learns, controls ten new episodes, prints their returns and draws one of them.

    Args:
        learn: makes the model and the controller.
        options: with `env`, `seed` and `out`.
        console: what is printed to.

    Raises:
        RefusalError: the request cannot be met.
    """
    with opened(options.env) as env, progress_bar(console) as show:
        reward = known_reward(env, options.env)
        picture = _picture_path(options.out, options.env)
        # Half of the bar is for learning, half for the episodes after it.
        learned = learn(env, reward, options, console, lambda what, done: show(what, 0.5 * done))
        controlled = _control(env, learned.mpc, options.seed, show)
        planner = learned.mpc.planner
        console.print(
            f"Control: {type(planner).__name__} ({planner.candidates} candidates) plans "
            f"{tables.steps(planner.horizon)} ahead, with a model of all data\n"
        )
        console.print(tables.return_table(controlled))
        console.print(tables.time_line(controlled))
        if not pictures.can_draw():
            console.print('No picture, matplotlib is missing: pip install "dynaplan[plot]"')
            return
        show("Drawing", 1.0)
        with refusing(f"--out {picture}", OSError):
            _draw(picture, controlled, learned, env_id=options.env, env=env)
        console.print(f"Picture: {picture}", soft_wrap=True)


def print_title(options: argparse.Namespace, console: Console) -> None:
    """Prints the first line: version, environment and seed."""
    console.print(f"dynaplan {__version__}: {options.env}, seed {options.seed}\n", style="bold")


def _control(env: Any, mpc: MPC, seed: int, show: Show) -> list[ComparedEpisode]:
    controlled = []
    for index in range(episodes.EPISODES):
        show(
            f"Controlling, episode {index + 1} of {episodes.EPISODES}",
            0.5 + 0.5 * index / episodes.EPISODES,
        )
        mpc.reset()
        # Seeds of two runs do not overlap, nor do they meet the one of the collection.
        reset_seed = 1000 + episodes.EPISODES * seed + index
        controlled.append(episodes.compared_episode(env, mpc.act, reset_seed))
    return controlled


def _draw(
    path: Path, controlled: list[ComparedEpisode], learned: Learned, *, env_id: str, env: Any
) -> None:
    # The worst first reward is the hardest start: a pendulum that hangs.
    hardest = min(controlled, key=lambda episode: episode.rewards[0])
    pictures.draw(
        path,
        hardest,
        _predictions(learned.model, hardest),
        learned.check,
        env_id=env_id,
        dt=getattr(env.unwrapped, "dt", None),
    )


def _predictions(model: Model, episode: ComparedEpisode) -> dict[int, NDArray[np.float64]]:
    """Predicts an episode piece by piece from the actions that were applied."""
    pieces = {}
    for start in range(0, len(episode.actions), _PREDICTED_STEPS):
        actions = episode.actions[start : start + _PREDICTED_STEPS]
        pieces[start] = rollout(model, episode.states[start], actions[np.newaxis])[0]
    return pieces


def _picture_path(out: str, env_id: str) -> Path:
    """Returns where the picture is saved, after a trial that one can write there."""
    path = Path(out)
    if path.suffix.lower() != ".png" or path.is_dir():
        path /= f"dynaplan-{env_id.replace('/', '-').replace(':', '-')}.png"
    with refusing(f"--out {path}", OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("the file is not writable")
        if path.exists() and not path.is_file():
            raise OSError("it is no regular file")
        tempfile.TemporaryFile(dir=path.parent).close()
    return path
