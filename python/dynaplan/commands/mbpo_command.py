"""The command `python -m dynaplan mbpo`: learns a policy, mostly in imagination."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dynaplan._version import __version__
from dynaplan.commands.command import Parser, at_least, refusing
from dynaplan.errors import ArgumentError, ModelFileError
from dynaplan.loops.mbpo import MBPO
from dynaplan.loops.progress import DynaIteration
from dynaplan.reports import report
from dynaplan.rewards.terms import Reward
from dynaplan.tasks.environment import settings_that_show_the_reward
from dynaplan.tasks.rewards import for_env as reward_for_env
from dynaplan.tasks.terminations import for_env as termination_for_env
from dynaplan.terminations.terms import Termination

__all__ = ["parser", "run"]

_STEPS = 1000
_ROWS = 20  # of the table, so that it fits a screen
_EPISODES = 10
# For environments that set no limit themselves.
_MAX_EPISODE_STEPS = 1000

_LEGEND = """\
Model error: median after one step, on transitions not seen, in % of the spread
of the data. Rollout length: steps imagined from real states; 0 without trust.
"""
_DESCRIPTION = """\
Learn a policy for a Gymnasium environment: soft actor-critic, trained after each
real step on what an ensemble of networks imagines, as far ahead as it can be
trusted. Then ten fresh episodes with the policy, beside a random one.
"""
_EPILOG = """\
examples:
  python -m dynaplan mbpo                            swing a pendulum up
  python -m dynaplan mbpo --env InvertedPendulum-v5  balance one (pip install "dynaplan[mujoco]")
  python -m dynaplan mbpo --imagined 0               the same agent without imagination
  python -m dynaplan mbpo --checkpoint run.dyna      go on where the last call ended
"""


def parser() -> argparse.ArgumentParser:
    """Returns what reads the arguments."""
    made = Parser(
        prog="python -m dynaplan mbpo",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--env", default="Pendulum-v1", metavar="ID", help="Gymnasium id (default: %(default)s)"
    )
    made.add_argument(
        "--steps",
        type=at_least(1),
        default=_STEPS,
        metavar="N",
        help="real steps to make (default: %(default)s)",
    )
    made.add_argument(
        "--imagined",
        type=at_least(0),
        default=40,
        metavar="K",
        help="updates from imagined transitions after each real step (default: %(default)s)",
    )
    made.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="the same seed gives the same course (default: %(default)s)",
    )
    made.add_argument(
        "--threads",
        type=at_least(1),
        default=1,
        metavar="N",
        help="threads; the course is the same for any number (default: %(default)s)",
    )
    made.add_argument("--csv", metavar="PATH", help="file for a row of numbers for each episode")
    made.add_argument("--tensorboard", metavar="PATH", help="folder for the same for TensorBoard")
    made.add_argument(
        "--checkpoint",
        metavar="PATH",
        help="file to go on from, if it is there, and to write at the end and after Ctrl-C",
    )
    made.add_argument("--version", action="version", version=f"dynaplan {__version__}")
    return made


def run(options: argparse.Namespace, console: Console) -> None:
    """Does what was asked for.

    Args:
        options: from `parser`.
        console: what is printed to.

    Raises:
        RefusalError: it cannot be done.
    """
    import gymnasium  # noqa: PLC0415  # slow, and --help needs none of it

    settings = settings_that_show_the_reward(options.env)
    with refusing(f"--env {options.env}", gymnasium.error.Error, ImportError):
        env = gymnasium.make(options.env, **settings)
    with closing(env):
        with refusing(f"--env {options.env}", TypeError, ValueError):
            mbpo, knows = _loop(env, options)
        if options.checkpoint:
            with refusing(f"--checkpoint {options.checkpoint}", OSError, ModelFileError):
                _take_up(mbpo, Path(options.checkpoint))
        console.print(
            f"dynaplan {__version__}: MBPO, {options.env}, seed {mbpo.seed}", style="bold"
        )
        console.print(f"Reward and end: {knows}")
        if mbpo.steps:
            console.print(f"Goes on after {report.steps(mbpo.steps)}")
        console.print(_LEGEND, soft_wrap=True)
        try:
            _learn(mbpo, options, console)
        finally:
            if options.checkpoint:
                with refusing(f"--checkpoint {options.checkpoint}", OSError):
                    mbpo.save(options.checkpoint)
                console.print(f"Checkpoint: {options.checkpoint}\n", soft_wrap=True)
        episodes = [_episode(env, mbpo, 1000 + n) for n in range(_EPISODES)]
        console.print(report.return_table(episodes, "policy"))


def _loop(env: Any, options: argparse.Namespace) -> tuple[MBPO, str]:
    """Returns the loop, and in words what it is told of the environment."""
    reward: Reward | None = None
    ending: Termination | None = None
    knows = "the reward is learned; imagined rollouts do not end"
    with suppress(ArgumentError):
        reward, ending = reward_for_env(env), termination_for_env(env)
        knows = "known in closed form"
    loop = MBPO(
        env,
        updates_per_step=options.imagined,
        reward=reward,
        termination=ending,
        random_steps=max(2, min(100, options.steps // 2)),
        seed=options.seed,
        threads=options.threads,
    )
    return loop, knows


def _take_up(mbpo: MBPO, path: Path) -> None:
    """Restores a checkpoint that is there, after a trial that one can be written."""
    tempfile.TemporaryFile(dir=path.parent).close()
    if path.exists():
        mbpo.restore(path)


def _learn(mbpo: MBPO, options: argparse.Namespace, console: Console) -> None:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        auto_refresh=False,  # a thread that draws would take its time from the agent
    )
    first, every = mbpo.steps, max(1, options.steps // _ROWS)
    since: list[DynaIteration] = []
    console.print(report.DYNA_HEADING)
    logs = [f"--{n} {getattr(options, n)}" for n in ("csv", "tensorboard") if getattr(options, n)]
    with progress, refusing(", ".join(logs), OSError, ImportError):
        task = progress.add_task("Learning", total=options.steps)
        printed = first
        for it in mbpo.run(options.steps, csv=options.csv, tensorboard=options.tensorboard):
            since.append(it)
            progress.update(task, completed=it.steps - first, refresh=True)
            if it.steps - printed >= every or it.steps == first + options.steps:
                console.print(report.dyna_line(since))
                since, printed = [], it.steps
    console.print()


def _episode(env: Any, mbpo: MBPO, seed: int) -> report.ControlledEpisode:
    """Plays an episode at random and then, from the same start, by the policy."""
    rng = np.random.default_rng(seed)
    space = env.action_space
    random = _play(env, lambda _: rng.uniform(space.low, space.high), seed)[2]
    states, actions, obtained = _play(
        env, lambda state: mbpo.agent.act(state, deterministic=True), seed
    )
    return report.ControlledEpisode(
        seed=seed,
        states=states,
        actions=actions,
        rewards=obtained,
        plan_seconds=np.zeros(0),
        random_return=float(random.sum()),
    )


def _play(env: Any, act: Any, seed: int) -> tuple[Any, Any, Any]:
    """Plays one episode and returns states (T + 1, S), actions (T, A) and rewards (T,)."""
    state, _ = env.reset(seed=seed)
    states: list[Any] = [state]
    actions: list[Any] = []
    obtained: list[float] = []
    over = False
    while not over and len(actions) < _MAX_EPISODE_STEPS:
        action = np.asarray(act(state), dtype=env.action_space.dtype)
        state, reward, terminated, truncated, _ = env.step(action)
        states.append(state)
        actions.append(action)
        obtained.append(float(reward))
        over = terminated or truncated
    return np.array(states, float), np.array(actions, float), np.array(obtained)
