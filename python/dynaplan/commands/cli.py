"""The command `python -m dynaplan`: learn a model from few data, check it, control with it.

Everything that is computed here can be had from Python in about ten lines; the command shows what
to expect of them on one's own machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dynaplan._version import __version__
from dynaplan.commands import mbpo_command
from dynaplan.commands.command import Parser, RefusalError, at_least, refusing
from dynaplan.commands.pets_job import learn_by_control, loop_for
from dynaplan.control.mpc import MPC
from dynaplan.data.collection import collect
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError, Error, RankDeficientWarning
from dynaplan.models.interface import Model
from dynaplan.models.linear.features import Polynomial
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.planners.cem import CEM
from dynaplan.reports import report
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.evaluation import Evaluation, evaluate
from dynaplan.rollouts.rollout import rollout
from dynaplan.tasks.environment import settings_that_show_the_reward
from dynaplan.tasks.rewards import for_env as reward_for_env

__all__ = ["main"]

# The environment that a fixed set of random transitions is enough for.
_SHORT_JOB = "Pendulum-v1"
_STEPS = 200
_LOOP_STEPS = 1000
_EPISODES = 10
_HELD_OUT = 0.25
_CHECKED_STEPS = 50
_HORIZON = CEM().horizon
# For environments that set no limit themselves.
_MAX_EPISODE_STEPS = 1000
# Length of the predictions in the picture: a second of Pendulum-v1.
_PREDICTED_STEPS = 20

_DESCRIPTION = """\
Learn the dynamics of a Gymnasium environment, check on data the model has not
seen how far ahead it can be trusted, then control ten fresh episodes by
planning with it. Pendulum-v1 is learned from a few random transitions, other
environments while they are controlled.
"""
_EPILOG = """\
examples:
  python -m dynaplan                       swing a pendulum up
  python -m dynaplan --steps 400 --seed 3  with more data, other random numbers
  python -m dynaplan --out pictures/       put the picture there
  python -m dynaplan --env Reacher-v5      reach (pip install "dynaplan[mujoco]")
  python -m dynaplan mbpo --help           learn a policy in imagination instead
"""


Show: TypeAlias = Callable[[str, float], None]  # what is done now, and the share of it done


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: what follows the name of the command; default: those of the process.

    Returns:
        The exit code: 0, 2 if the request cannot be met, 130 after Ctrl-C.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    learns_a_policy = given[:1] == ["mbpo"]
    parser, run = (mbpo_command.parser, mbpo_command.run) if learns_a_policy else (_parser, _run)
    options = parser().parse_args(given[1:] if learns_a_policy else given)
    console = Console(highlight=False, markup=False)  # names may hold brackets
    try:
        run(options, console)
        console.file.flush()
    except (RefusalError, Error) as refusal:
        print(f"dynaplan: {refusal}", file=sys.stderr)
        return 2
    except MemoryError:
        print("dynaplan: out of memory; ask for less, such as fewer --steps", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        # Python flushes stdout once more as it ends, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m dynaplan",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--env", default="Pendulum-v1", metavar="ID", help="Gymnasium id (default: %(default)s)"
    )
    parser.add_argument(
        "--steps",
        type=at_least(2),
        metavar="N",
        help=f"real steps to learn from (default: {_STEPS} for {_SHORT_JOB}, of which a quarter "
        f"is held out for the check; {_LOOP_STEPS} for others)",
    )
    parser.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="the same seed gives the same data, plans and returns (default: %(default)s)",
    )
    parser.add_argument(
        "--horizon",
        type=at_least(1),
        default=_HORIZON,
        metavar="N",
        help="steps to plan ahead (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        metavar="PATH",
        default="",
        help="folder or .png file of the picture (default: dynaplan-<env>.png in this folder)",
    )
    parser.add_argument("--version", action="version", version=f"dynaplan {__version__}")
    return parser


def _run(options: argparse.Namespace, console: Console) -> None:
    env, reward = _environment(options.env)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        auto_refresh=False,  # a thread that draws would take its time from the plans
    )
    with closing(env), progress:
        picture = _picture_path(options.out, options.env)
        # Half of the bar is for learning, half for the episodes after it.
        task = progress.add_task("", total=2.0)

        def now(description: str, done: float) -> None:
            progress.update(task, description=description, completed=done, refresh=True)

        job = _short_job if options.env == _SHORT_JOB else _loop_job
        mpc, model, check = job(env, reward, options, console, now)
        episodes = []
        for index in range(_EPISODES):
            now(f"Controlling, episode {index + 1} of {_EPISODES}", 1.0 + index / _EPISODES)
            # Seeds of two runs do not overlap, nor do they meet the one of the collection.
            episodes.append(_episode(env, mpc, 1000 + _EPISODES * options.seed + index))
        console.print(
            f"Control: {type(mpc.planner).__name__} with {mpc.planner.candidates} candidates plans "
            f"{report.steps(mpc.planner.horizon)} ahead on a model of all data\n"
        )
        console.print(report.return_table(episodes))
        console.print(report.time_line(episodes))
        if not report.plot_is_possible():
            console.print('No picture, matplotlib is missing: pip install "dynaplan[plot]"')
            return
        now("Drawing", 2.0)
        # The worst first reward is the hardest start: a pendulum that hangs.
        hardest = min(episodes, key=lambda episode: episode.rewards[0])
        dt = getattr(env.unwrapped, "dt", None)
        with refusing(f"--out {picture}", OSError):
            report.draw(
                picture, hardest, _predictions(model, hardest), check, env_id=options.env, dt=dt
            )
        console.print(f"Picture: {picture}", soft_wrap=True)


def _short_job(
    env: Any,
    reward: Reward,
    options: argparse.Namespace,
    console: Console,
    now: Show,
) -> tuple[MPC, Model, Evaluation]:
    """Learns from random transitions alone."""
    steps = options.steps or _STEPS
    now("Collecting", 0.0)
    # Four episodes at least, so that a quarter can be held out whole.
    longest = min(_CHECKED_STEPS, max(1, steps // 4))
    data = collect(env, steps, seed=options.seed, episode_steps=longest)
    now("Fitting and checking", 0.5)
    model, check = _learn(data, options, console)
    planner = CEM(horizon=options.horizon)
    mpc = MPC(model, reward, planner, action_space=env.action_space, seed=options.seed)
    return mpc, model, check


def _loop_job(
    env: Any,
    reward: Reward,
    options: argparse.Namespace,
    console: Console,
    now: Show,
) -> tuple[MPC, Model, Evaluation]:
    """Learns while it controls."""
    steps = options.steps or _LOOP_STEPS
    with refusing(f"--env {options.env}", TypeError):
        pets = loop_for(env, reward, steps=steps, horizon=options.horizon, seed=options.seed)
    _print_title(options, console)
    last = learn_by_control(pets, steps, console, lambda what, done: now(what, done / steps))
    # At least one episode was controlled, so that there is an evaluation.
    return pets.controller(last.model), last.model, cast("Evaluation", last.evaluation)


def _learn(
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
            f"coefficients per state; use at least {2 * model.columns}"
        )
    check = evaluate(model, held_out, horizon=_CHECKED_STEPS)
    _print_title(options, console)
    console.print(f"Data: {len(data)} transitions, {len(held_out)} of them held out")
    console.print(
        f"Model: least squares on quadratic features, {model.coefficients.size} coefficients "
        f"in {1e3 * seconds:.1f} ms\n"
    )
    console.print(report.check_table(check))
    errors = ", ".join(f"{error:.2g}" for error in check.one_step_rmse)
    console.print(f"One-step error per state (RMSE): {errors}")
    console.print(
        f"Trusted horizon: {report.steps(check.trusted_horizon)} "
        f'(median error within {report.percent(check.share)} of "nothing changes")\n'
    )
    return model.updated(held_out), check


def _print_title(options: argparse.Namespace, console: Console) -> None:
    console.print(f"dynaplan {__version__}: {options.env}, seed {options.seed}\n", style="bold")


def _episode(env: Any, mpc: MPC, seed: int) -> report.ControlledEpisode:
    """Plays an episode at random and then, from the same start, under control."""
    rng = np.random.default_rng(seed)
    space = env.action_space
    _, _, random = _play(env, lambda _: rng.uniform(space.low, space.high), seed)
    seconds: list[float] = []

    def act(state: NDArray[Any]) -> NDArray[np.float64]:
        start = time.perf_counter()
        action: NDArray[np.float64] = mpc.act(state)
        seconds.append(time.perf_counter() - start)
        return action

    mpc.reset()
    states, actions, obtained = _play(env, act, seed)
    return report.ControlledEpisode(
        seed=seed,
        states=states,
        actions=actions,
        rewards=obtained,
        plan_seconds=np.array(seconds),
        random_return=float(random.sum()),
    )


def _predictions(model: Model, episode: report.ControlledEpisode) -> dict[int, NDArray[np.float64]]:
    """Predicts an episode piece by piece from the actions that were applied."""
    pieces = {}
    for start in range(0, len(episode.actions), _PREDICTED_STEPS):
        actions = episode.actions[start : start + _PREDICTED_STEPS]
        pieces[start] = rollout(model, episode.states[start], actions[np.newaxis])[0]
    return pieces


def _play(
    env: Any, act: Callable[[NDArray[Any]], NDArray[Any]], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
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


def _fit(train: Transitions) -> LinearGaussian:
    with warnings.catch_warnings():
        # The squares of a cosine and a sine add up to the intercept: harmless, and the rule here.
        warnings.simplefilter("ignore", RankDeficientWarning)
        return LinearGaussian.fit(train, features=Polynomial(2))


def _environment(env_id: str) -> tuple[Any, Reward]:
    """Returns the environment and its reward as the planner needs it."""
    import gymnasium  # noqa: PLC0415  # slow, and --help needs none of it

    with refusing(f"--env {env_id}", gymnasium.error.Error, ImportError):
        env = gymnasium.make(env_id, **settings_that_show_the_reward(env_id))
    try:
        return env, reward_for_env(env)
    except ArgumentError as error:
        env.close()
        raise RefusalError(
            f"--env {env_id}: its reward is not known in closed form; "
            "from Python, dynaplan.MPC takes any reward function"
        ) from error


def _picture_path(out: str, env_id: str) -> Path:
    """Returns where the picture goes, after a trial that one can write there."""
    path = Path(out)
    if path.suffix.lower() != ".png" or path.is_dir():
        path /= f"dynaplan-{env_id.replace('/', '-').replace(':', '-')}.png"
    with refusing(f"--out {path}", OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError("the file may not be written")
        tempfile.TemporaryFile(dir=path.parent).close()
    return path
